#ifndef HYBRIDSERVE_WORKER_MEMORY_PLAN_H_
#define HYBRIDSERVE_WORKER_MEMORY_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model_config.h"
#include "worker/model/weight_plan.h"
#include "worker/offload/workspace_sizes.h"
#include "worker/worker_options.h"

namespace hybridserve {

// One allocation, or one group of like ones.
struct MemoryItem {
  std::string name;
  int64_t bytes = 0;
};

// Every allocation of a worker that grows with the model or with a flag, made
// before any of them. Plain data.
struct MemoryPlan {
  // Host and device are one memory: weights alias, there is no ring, and the
  // one cache pool is HOST's.
  bool one_memory = false;

  StepShape step;
  int weight_buffers = 0;       // Slots of the weight ring; 0: none.
  int64_t ring_slot_bytes = 0;  // Of one slot.
  int staging_areas = 0;
  int32_t staging_half_slots = 0;  // Of one area.
  int64_t half_slot_bytes = 0;     // In one layer.
  int32_t host_half_slots = 0;
  int32_t device_half_slots = 0;
  // Which parts stay on the device. A layer's part 0 is its vectors, part 1 + i
  // the plan's piece i; the same in every layer.
  std::vector<bool> resident_layer_parts;
  std::vector<bool> resident_head_slices;

  std::vector<MemoryItem> device;  // Empty with one memory.
  std::vector<MemoryItem> host;
  int64_t device_limit = 0;  // What --device_memory allows.
  int64_t host_limit = 0;    // What the machine, the cgroup or a flag allows.
  // The smallest --device_memory that would be accepted.
  int64_t min_device_bytes = 0;

  int64_t device_bytes() const;
  int64_t host_bytes() const;
  // Of one layer / of the head: bytes that cross the link every step.
  int64_t streamed_layer_bytes(const WeightPlan& weights) const;
  int64_t streamed_head_bytes(const WeightPlan& weights) const;
  // The plan as lines of text, for people.
  std::string ToString() const;
};

// What a memory plan follows from.
struct MemoryPlanInputs {
  const ModelConfig* config = nullptr;  // Borrowed, not null.
  const WeightPlan* weights = nullptr;  // Borrowed, not null.
  MemorySetting device_memory;
  MemorySetting host_memory;
  int64_t staging_memory_bytes = 0;  // All areas; 0: chosen here.
  int weight_buffers = 2;
  int block_tokens = 16;
  int64_t max_running = 64;
  bool one_memory = false;
  // The device is modelled in host memory: its bytes count on the host too.
  bool device_on_host = false;
  int64_t device_available = 0;  // Bytes that the device has.
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

#endif  // HYBRIDSERVE_WORKER_MEMORY_PLAN_H_
