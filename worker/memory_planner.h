#ifndef HYBRIDSERVE_WORKER_MEMORY_PLANNER_H_
#define HYBRIDSERVE_WORKER_MEMORY_PLANNER_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "common/model_config.h"
#include "worker/memory_plan.h"
#include "worker/model/weight_plan.h"
#include "worker/worker_options.h"

namespace hybridserve {

// What a memory plan follows from.
struct MemoryPlanInputs {
  const ModelConfig* config = nullptr;  // Borrowed, not null.
  const WeightPlan* weights = nullptr;  // Borrowed, not null.
  MemorySetting device_memory;
  MemorySetting host_memory;
  int64_t staging_memory_bytes = 0;  // All areas; 0: chosen here.
  int64_t recompute_tokens = 0;      // As in WorkerOptions.
  // Percent of each layer, and of the head, that is resident. A matrix is if
  // the middle of it lies in the last so many percent (PAPER.md 2.1). Counts
  // nothing with one memory.
  std::optional<double> resident_weights;
  int weight_buffers = 2;
  int block_tokens = 16;
  int64_t max_running = 64;
  bool one_memory = false;
  bool unpinned_cache = false;  // As in WorkerOptions.
  // The device is modelled in host memory: its bytes count on the host too.
  bool device_on_host = false;
  int64_t device_available = 0;  // Bytes that the device has; 0: not known.
  int64_t device_reserved = 0;   // Of them, taken already (DeviceInfo).
  int64_t host_available = 0;    // Bytes that the host may still give.
  int64_t loading_bytes = 0;     // Scratch while weights load, then free.
};

// Pure. InvalidArgument for a setting that can never do, ResourceExhausted if
// the model does not fit; the message says which amount would.
absl::StatusOr<MemoryPlan> MakeMemoryPlan(const MemoryPlanInputs& inputs);

// Half-slots that one sequence of the model's full length stages at most.
int64_t HalfSlotsToStageOneSequence(const ModelConfig& config,
                                    int64_t block_tokens);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MEMORY_PLANNER_H_
