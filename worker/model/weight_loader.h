#ifndef HYBRIDSERVE_WORKER_MODEL_WEIGHT_LOADER_H_
#define HYBRIDSERVE_WORKER_MODEL_WEIGHT_LOADER_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/model_config.h"
#include "kernels/weight_layout.h"
#include "worker/model/host_weights.h"
#include "worker/model/tensor_source.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {

struct LoadOptions {
  // Packs pieces side by side. >= 1.
  int num_threads = 1;
  // Called after every piece, one call at a time, from any loading thread:
  // checkpoint bytes read so far, and of all.
  std::function<void(int64_t done_bytes, int64_t total_bytes)> progress;
  // Paces the log line (one a second); null: the system's. Borrowed.
  const Clock* clock = nullptr;
};

// Packs every tensor straight from `source` into `into`, piece by piece, and
// returns the weights hash: SHA-256, hex, over config.json's bytes and every
// tensor's name, dtype, shape and bytes (or the source's fingerprint). The hash
// depends on neither dtype, plan, threads nor on how files are sharded.
//
// `source` has passed CheckTensors for `config`, `plan` was made from `config`
// and `layout`, and the spans have the plan's sizes (CHECKed). On an error
// `into` is partly written.
absl::StatusOr<std::string> LoadWeights(const TensorSource& source,
                                        const ModelConfig& config,
                                        absl::string_view config_json,
                                        const WeightPlan& plan,
                                        const WeightLayout& layout,
                                        const WeightSpans& into,
                                        const LoadOptions& options = {});

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_WEIGHT_LOADER_H_
