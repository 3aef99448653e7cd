#ifndef HYBRIDSERVE_WORKER_MODEL_WEIGHTS_HASH_H_
#define HYBRIDSERVE_WORKER_MODEL_WEIGHTS_HASH_H_

#include <atomic>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model_config.h"
#include "worker/model/tensor_source.h"

namespace hybridserve {

// SHA-256, hex, over config.json's bytes and, for each of ModelTensors in
// order, name, dtype, shape and bytes; or over the source's fingerprint where
// it has one. Reads chunk by chunk. Cancelled if `cancel` becomes true
// meanwhile.
absl::StatusOr<std::string> HashWeights(const TensorSource& source,
                                        const ModelConfig& config,
                                        absl::string_view config_json,
                                        const std::atomic<bool>& cancel);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_WEIGHTS_HASH_H_
