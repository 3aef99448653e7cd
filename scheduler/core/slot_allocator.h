#ifndef HYBRIDSERVE_SCHEDULER_CORE_SLOT_ALLOCATOR_H_
#define HYBRIDSERVE_SCHEDULER_CORE_SLOT_ALLOCATOR_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/cache/block_ref.h"
#include "common/cache/half_slot_pool.h"
#include "common/worker_info.h"
#include "scheduler/core/snapshot.h"

namespace hybridserve {

// Most blocks of each kind to keep on the device, of all sequences together.
struct DeviceShares {
  int64_t kv_blocks = INT64_MAX;
  int64_t act_blocks = INT64_MAX;
};

// Gives a sequence's blocks their half-slots on one worker: the device's pool
// first, then the host's, in the order of the blocks. TOKENS blocks take none.
//
// Thread-compatible.
class SlotAllocator {
 public:
  // At most one pool a tier, half_slots >= 0.
  explicit SlotAllocator(absl::Span<const PoolInfo> pools);

  // One block for each of `kinds`, in order. A kind takes no more of the device
  // than its share unless the host has no room. All or nothing: on
  // ResourceExhausted nothing is taken. It succeeds whenever some placement
  // exists (a KV block needs both halves in one tier).
  absl::StatusOr<std::vector<BlockRef>> Allocate(
      absl::Span<const CacheKind> kinds, const DeviceShares& shares = {});

  // Gives back blocks from Allocate().
  void Free(absl::Span<const BlockRef> blocks);

  // With nothing else in use these blocks all find room, also when they are
  // allocated one after the other, and wherever those before have been put.
  bool FitsAlone(absl::Span<const CacheKind> kinds) const;

  // KV blocks that Allocate() would put on the device.
  int64_t DeviceRoomForKv(const DeviceShares& shares) const;

  int64_t num_free() const;
  // In use, on both tiers.
  int64_t num_blocks(CacheKind kind) const;
  int64_t capacity(Tier tier) const;
  int64_t capacity() const;  // Of both tiers.
  // One a tier that has half-slots, the device's first.
  std::vector<PoolSnapshot> Snapshot() const;

 private:
  struct TierPool {
    Tier tier;
    HalfSlotPool pool;
    int64_t kv_blocks = 0;  // In use.
    int64_t act_blocks = 0;
    int64_t peak_kv_blocks = 0;  // The most at one time.
    int64_t peak_act_blocks = 0;
  };

  std::array<TierPool, 2> pools_;  // By preference.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_SLOT_ALLOCATOR_H_
