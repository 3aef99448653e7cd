#ifndef HYBRIDSERVE_COMMON_CACHE_HALF_SLOT_POOL_H_
#define HYBRIDSERVE_COMMON_CACHE_HALF_SLOT_POOL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/ids.h"

namespace hybridserve {

// The free list over one tier's arena of half-slots.
//
// A block of KV takes two half-slots and a block of ACT one, anywhere in the
// arena; the pool does not care which. It owns ids, not memory, so the
// scheduler keeps one for each arena of each worker.
//
// Invariant: every id in [0, capacity) is free or in use, never both.
// Thread-compatible.
class HalfSlotPool {
 public:
  // Every half-slot is free. `capacity` >= 0.
  explicit HalfSlotPool(int32_t capacity);

  // Takes `count` >= 0 half-slots, lowest ids first, in ascending order. All or
  // nothing: on ResourceExhausted the pool is unchanged.
  absl::StatusOr<std::vector<HalfSlot>> Allocate(int32_t count);

  // Gives back half-slots from Allocate(). One that is not in use is a bug in
  // the caller, not a load condition, and crashes.
  void Free(absl::Span<const HalfSlot> slots);

  int32_t capacity() const { return capacity_; }
  int32_t num_free() const { return num_free_; }

 private:
  int32_t capacity_;
  int32_t num_free_;
  std::vector<uint64_t> free_;  // One bit an id: 1 is free.
  size_t first_word_ = 0;       // No earlier word has a free bit.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_CACHE_HALF_SLOT_POOL_H_
