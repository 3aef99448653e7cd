#ifndef HYBRIDSERVE_SCHEDULER_CORE_REQUEST_VALIDATOR_H_
#define HYBRIDSERVE_SCHEDULER_CORE_REQUEST_VALIDATOR_H_

#include "absl/status/status.h"
#include "common/model_config.h"
#include "scheduler/core/request.h"

namespace hybridserve {

// INVALID_ARGUMENT, naming the field as the API does (FieldOf(),
// common/status_details.h), unless a model of these dimensions can run
// `request`. A prompt's ids are the field "token_ids", its length "prompt".
absl::Status ValidateRequest(const GenerationRequest& request,
                             const ModelConfig& config);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_REQUEST_VALIDATOR_H_
