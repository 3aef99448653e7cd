#include "worker/offload/cache_arena.h"

#include <algorithm>

#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {

absl::StatusOr<CacheArena> CacheArena::Create(Device& device, MemorySpace space,
                                              int64_t num_layers,
                                              int32_t half_slots,
                                              int64_t half_slot_bytes) {
  CacheArena arena;
  const int64_t bytes = num_layers * half_slots * half_slot_bytes;
  if (bytes > 0) {
    ASSIGN_OR_RETURN(arena.buffer_, device.Allocate(space, bytes));
  }
  arena.num_layers_ = num_layers;
  arena.half_slots_ = half_slots;
  arena.half_slot_bytes_ = half_slot_bytes;
  return arena;
}

BufferView CacheArena::View(int64_t layer, HalfSlot slot, int64_t from,
                            int64_t count) const {
  CHECK(layer >= 0 && layer < num_layers_) << layer;
  CHECK(slot.value() >= 0 && slot.value() < half_slots_) << slot;
  CHECK(from >= 0 && count >= 0 && from + count <= half_slot_bytes_)
      << from << "+" << count;
  return {buffer_.get(),
          (layer * half_slots_ + slot.value()) * half_slot_bytes_ + from,
          count};
}

}  // namespace hybridserve
