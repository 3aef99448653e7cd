#ifndef HYBRIDSERVE_COMMON_LLAMA_CONFIG_JSON_H_
#define HYBRIDSERVE_COMMON_LLAMA_CONFIG_JSON_H_

#include "absl/status/status.h"
#include "common/json_fields.h"
#include "common/model_config.h"

namespace hybridserve {

// Fills in what the config.json of a model built like Llama says of its shape
// and tokens, as transformers' LlamaConfig, MistralConfig and Qwen2Config
// understand it; `config.model_type` says which. See ParseModelConfig().
//
// A model that attends to a sliding window only is taken as far as the window:
// up to there it is the same.
absl::Status ReadLlamaConfig(const JsonFields& fields, ModelConfig& config);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_LLAMA_CONFIG_JSON_H_
