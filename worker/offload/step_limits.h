#ifndef HYBRIDSERVE_WORKER_OFFLOAD_STEP_LIMITS_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_STEP_LIMITS_H_

#include <cstdint>

namespace hybridserve {

// What any step plan must keep to: the sizes of the worker's buffers and of its
// model. Plain data.
struct StepLimits {
  int32_t max_step_tokens = 0;      // Rows of one step.
  int32_t max_logit_rows = 0;       // Sequences that sample in one step.
  int32_t max_recomputed_rows = 0;  // Of one step, besides those. Whole blocks.
  int32_t staging_half_slots = 0;   // Of one mini-batch in one layer.
  int32_t host_half_slots = 0;
  int32_t device_half_slots = 0;
  int32_t block_tokens = 16;
  int64_t vocab_size = 0;
  int64_t max_positions = 0;
  bool act_pays = true;     // Otherwise ACT blocks are refused.
  bool one_memory = false;  // HOST blocks are read in place.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_STEP_LIMITS_H_
