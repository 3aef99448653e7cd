#ifndef HYBRIDSERVE_SCHEDULER_POLICY_CACHE_MIX_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_CACHE_MIX_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/model_config.h"
#include "common/worker_info.h"

namespace hybridserve {

// What one decoder layer costs on one worker. Rates are of each op alone.
struct CostInputs {
  double link_bytes_per_second = 0;    // Host to device; inf: one memory.
  double flops_per_second = 0;         // GEMM, many rows.
  double weight_bytes = 0;             // Streamed, a layer and step.
  double kv_bytes_per_token = 0;       // K and V, a layer.
  double act_bytes_per_token = 0;      // The checkpoint row, a layer.
  double forward_flops_per_token = 0;  // A new token's GEMMs, a layer.
  double rebuild_flops_per_token = 0;  // K and V from ACT, a layer.
  bool act_pays = true;                // ACT is smaller than K and V.

  // From what the worker registered and its model's dimensions.
  static CostInputs Of(const WorkerInfo& info, const ModelConfig& config);
};

// A worker's cache space, in half-slots.
struct Capacities {
  int64_t device_half_slots = 0;
  int64_t host_half_slots = 0;
  int32_t block_tokens = 16;
};

// The decode batch that the mix is chosen for.
struct Workload {
  double context_tokens = 0;  // N: cached tokens of all its sequences.
  double sequences = 0;       // B: new tokens a step.
};

// Which kinds new sequences' blocks get. Room is left for the planner's other
// shares (tiers, resident weights, running sequences).
struct CacheMix {
  double act_ratio = 0;  // ACT share of a sequence's blocks, [0, 1].
  std::string reason;    // In words, for logs and status.
};

// The reason for no ACT on models with few KV heads.
inline constexpr absl::string_view kActDoesNotPay =
    "activations are no smaller than K and V on this model";

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_CACHE_MIX_H_
