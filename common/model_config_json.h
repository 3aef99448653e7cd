#ifndef HYBRIDSERVE_COMMON_MODEL_CONFIG_JSON_H_
#define HYBRIDSERVE_COMMON_MODEL_CONFIG_JSON_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model_config.h"

namespace hybridserve {

// Reads the text of a Hugging Face config.json, from an untrusted source.
//
// Understands OPT, Llama, Mistral and Qwen2 as transformers does, with its
// defaults for what is absent, but for the dimensions, which must be there.
// InvalidArgument naming config.json and the field for anything missing, of a
// wrong type, out of range or contradictory; also for an architecture or a
// variant that is not supported.
absl::StatusOr<ModelConfig> ParseModelConfig(absl::string_view json);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_MODEL_CONFIG_JSON_H_
