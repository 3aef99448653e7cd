#ifndef HYBRIDSERVE_WORKER_MEMORY_PLAN_H_
#define HYBRIDSERVE_WORKER_MEMORY_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "worker/model/weight_plan.h"
#include "worker/offload/workspace_sizes.h"

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
  int weight_buffers = 0;       // Layer slots of the weight ring; 0: none.
  int64_t ring_slot_bytes = 0;  // Of one slot.
  int head_buffers = 2;         // Slots for slices of the LM head.
  int64_t head_slot_bytes = 0;  // Of one slot.
  int staging_areas = 0;
  int32_t staging_half_slots = 0;  // Of one area.
  int64_t half_slot_bytes = 0;     // In one layer.
  int32_t host_half_slots = 0;
  int32_t device_half_slots = 0;
  // Of each of the two buffers, one a direction, that copies between the host's
  // cache and the device go through; 0: they go straight.
  int64_t relay_bytes = 0;
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

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MEMORY_PLAN_H_
