#ifndef HYBRIDSERVE_WORKER_OFFLOAD_CACHE_ARENA_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_CACHE_ARENA_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "common/cache/block_ref.h"
#include "common/ids.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device.h"

namespace hybridserve {

// One tier's cache memory: `[layer][half_slot][half_slot_bytes]`, one
// allocation. Who holds which half-slot is the scheduler's to know.
// Thread-compatible.
class CacheArena {
 public:
  // Of no half-slots.
  CacheArena() = default;

  // ResourceExhausted if there is no room. `half_slots` may be 0.
  static absl::StatusOr<CacheArena> Create(Device& device, MemorySpace space,
                                           int64_t num_layers,
                                           int32_t half_slots,
                                           int64_t half_slot_bytes);

  // Where the HOST tier lies: ops read it in place where host and device are
  // one memory.
  static MemorySpace HostSpace(bool one_memory) {
    return one_memory ? MemorySpace::kDevice : MemorySpace::kHost;
  }

  // Bytes [from, from + count) of a half-slot in one layer (CHECKed).
  BufferView View(int64_t layer, HalfSlot slot, int64_t from,
                  int64_t count) const;

  int32_t half_slots() const { return half_slots_; }
  // All of it or none (Buffer::pinned()).
  int64_t unpinned_bytes() const {
    return buffer_ == nullptr || buffer_->pinned() ? 0 : buffer_->size();
  }

 private:
  std::unique_ptr<Buffer> buffer_;
  int64_t num_layers_ = 0;
  int32_t half_slots_ = 0;
  int64_t half_slot_bytes_ = 0;
};

// The arenas of a worker's tiers.
struct CacheArenas {
  CacheArena host;
  CacheArena device;

  const CacheArena& of(Tier tier) const {
    return tier == Tier::kHost ? host : device;
  }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_CACHE_ARENA_H_
