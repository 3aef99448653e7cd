#ifndef HYBRIDSERVE_COMMON_OPT_CONFIG_JSON_H_
#define HYBRIDSERVE_COMMON_OPT_CONFIG_JSON_H_

#include "absl/status/status.h"
#include "common/json_fields.h"
#include "common/model_config.h"

namespace hybridserve {

// Fills in what the config.json of an OPT model says of its shape and tokens,
// as transformers' OPTConfig understands it. See ParseModelConfig().
absl::Status ReadOptConfig(const JsonFields& fields, ModelConfig& config);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_OPT_CONFIG_JSON_H_
