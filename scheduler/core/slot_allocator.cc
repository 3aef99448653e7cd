#include "scheduler/core/slot_allocator.h"

#include <algorithm>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

// Which tier each block goes to is decided on counts alone, before any slot is
// taken. First within the kinds' shares of the device, then without. Blocks in
// order, best tier first, may strand one half-slot in each
// tier while a KV block wants two; placing all KV blocks before the ACT blocks
// strands none that matters, so it fails only where every placement does.

using Room = std::array<int64_t, 2>;    // Half-slots left, by preference.
using Placement = std::vector<int8_t>;  // Index of a pool, a block.

// Puts the blocks of `kind` (all, if nullopt) into the first pool with room;
// `left` is what they may still take of the device.
bool PlaceKind(absl::Span<const CacheKind> kinds, std::optional<CacheKind> kind,
               DeviceShares left, Room& room, Placement& placement) {
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kind.has_value() && kinds[i] != *kind) continue;
    const int64_t need = HalfSlotsOf(kinds[i]);
    if (need == 0) continue;  // TOKENS.
    int64_t& share =
        kinds[i] == CacheKind::kKv ? left.kv_blocks : left.act_blocks;
    const int8_t pool = room[0] >= need && share > 0 ? 0 : 1;
    if (room[pool] < need) return false;
    room[pool] -= need;
    if (pool == 0) --share;
    placement[i] = pool;
  }
  return true;
}

std::optional<Placement> Place(absl::Span<const CacheKind> kinds,
                               const DeviceShares& shares, const Room& room) {
  Placement placement(kinds.size(), 0);
  for (const DeviceShares& tried : {shares, DeviceShares()}) {
    Room left = room;
    if (PlaceKind(kinds, std::nullopt, tried, left, placement)) {
      return placement;
    }
  }
  Room left = room;
  if (PlaceKind(kinds, CacheKind::kKv, {}, left, placement) &&
      PlaceKind(kinds, CacheKind::kAct, {}, left, placement)) {
    return placement;
  }
  return std::nullopt;
}

int32_t HalfSlotsIn(absl::Span<const PoolInfo> pools, Tier tier) {
  for (const PoolInfo& pool : pools) {
    if (pool.tier == tier) return pool.half_slots;
  }
  return 0;
}

}  // namespace

SlotAllocator::SlotAllocator(absl::Span<const PoolInfo> pools)
    : pools_{TierPool{Tier::kDevice,
                      HalfSlotPool(HalfSlotsIn(pools, Tier::kDevice))},
             TierPool{Tier::kHost,
                      HalfSlotPool(HalfSlotsIn(pools, Tier::kHost))}} {}

absl::StatusOr<std::vector<BlockRef>> SlotAllocator::Allocate(
    absl::Span<const CacheKind> kinds, const DeviceShares& shares) {
  const TierPool& device = pools_[0];
  const std::optional<Placement> placement =
      Place(kinds,
            {.kv_blocks = shares.kv_blocks - device.kv_blocks,
             .act_blocks = shares.act_blocks - device.act_blocks},
            {pools_[0].pool.num_free(), pools_[1].pool.num_free()});
  if (!placement.has_value()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no room for ", kinds.size(), " blocks: ", num_free(),
                     " half-slots are free"));
  }
  std::array<std::vector<HalfSlot>, 2> slots;
  Room need = {0, 0};
  for (size_t i = 0; i < kinds.size(); ++i) {
    need[(*placement)[i]] += HalfSlotsOf(kinds[i]);
  }
  for (size_t p = 0; p < pools_.size(); ++p) {
    auto taken = pools_[p].pool.Allocate(static_cast<int32_t>(need[p]));
    CHECK(taken.ok()) << taken.status();  // Place() counted.
    slots[p] = *std::move(taken);
  }
  std::array<size_t, 2> next = {0, 0};
  std::vector<BlockRef> blocks;
  blocks.reserve(kinds.size());
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] == CacheKind::kTokens) {
      blocks.push_back({.kind = CacheKind::kTokens});
      continue;
    }
    const int8_t p = (*placement)[i];
    BlockRef block = {.kind = kinds[i], .tier = pools_[p].tier};
    block.first = slots[p][next[p]++];
    if (kinds[i] == CacheKind::kKv) {
      block.second = slots[p][next[p]++];
      ++pools_[p].kv_blocks;
    } else {
      ++pools_[p].act_blocks;
    }
    blocks.push_back(block);
  }
  for (TierPool& pool : pools_) {
    pool.peak_kv_blocks = std::max(pool.peak_kv_blocks, pool.kv_blocks);
    pool.peak_act_blocks = std::max(pool.peak_act_blocks, pool.act_blocks);
  }
  return blocks;
}

void SlotAllocator::Free(absl::Span<const BlockRef> blocks) {
  std::array<std::vector<HalfSlot>, 2> slots;
  for (const BlockRef& block : blocks) {
    if (block.kind == CacheKind::kTokens) continue;
    const size_t p = block.tier == pools_[0].tier ? 0 : 1;
    slots[p].push_back(block.first);
    if (block.kind == CacheKind::kKv) {
      slots[p].push_back(block.second);
      --pools_[p].kv_blocks;
    } else {
      --pools_[p].act_blocks;
    }
  }
  for (size_t p = 0; p < pools_.size(); ++p) pools_[p].pool.Free(slots[p]);
}

// One by one, an ACT block fails only where nothing is free, and a KV block
// where no tier has two half-slots free. Blocks of one kind, or in one tier,
// strand nothing, so that order does not matter. Otherwise as much as a
// half-slot a tier may be left over: a KV block that finds three free always
// fits.
bool SlotAllocator::FitsAlone(absl::Span<const CacheKind> kinds) const {
  const Room all = {pools_[0].pool.capacity(), pools_[1].pool.capacity()};
  const bool one_kind = absl::c_count(kinds, CacheKind::kKv) == 0 ||
                        absl::c_count(kinds, CacheKind::kAct) == 0;
  int64_t half_slots = 0;
  for (const CacheKind kind : kinds) half_slots += HalfSlotsOf(kind);
  if (one_kind || all[0] == 0 || all[1] == 0) {
    return Place(kinds, {}, all).has_value();
  }
  return half_slots < all[0] + all[1];
}

int64_t SlotAllocator::DeviceRoomForKv(const DeviceShares& shares) const {
  const TierPool& device = pools_[0];
  return std::clamp<int64_t>(shares.kv_blocks - device.kv_blocks, 0,
                             device.pool.num_free() / 2);
}

int64_t SlotAllocator::num_free() const {
  return int64_t{pools_[0].pool.num_free()} + pools_[1].pool.num_free();
}

int64_t SlotAllocator::num_blocks(CacheKind kind) const {
  int64_t sum = 0;
  for (const TierPool& pool : pools_) {
    sum += kind == CacheKind::kKv ? pool.kv_blocks : pool.act_blocks;
  }
  return sum;
}

int64_t SlotAllocator::capacity() const {
  return pools_[0].pool.capacity() + pools_[1].pool.capacity();
}

int64_t SlotAllocator::capacity(Tier tier) const {
  return (tier == pools_[0].tier ? pools_[0] : pools_[1]).pool.capacity();
}

std::vector<PoolSnapshot> SlotAllocator::Snapshot() const {
  std::vector<PoolSnapshot> snapshots;
  for (const TierPool& pool : pools_) {
    if (pool.pool.capacity() == 0) continue;
    snapshots.push_back({.tier = pool.tier,
                         .half_slots = pool.pool.capacity(),
                         .free = pool.pool.num_free(),
                         .kv_blocks = pool.kv_blocks,
                         .act_blocks = pool.act_blocks,
                         .peak_kv_blocks = pool.peak_kv_blocks,
                         .peak_act_blocks = pool.peak_act_blocks});
  }
  return snapshots;
}

}  // namespace hybridserve
