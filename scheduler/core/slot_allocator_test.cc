#include "scheduler/core/slot_allocator.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

std::vector<PoolInfo> Pools(int32_t device, int32_t host) {
  return {{.tier = Tier::kDevice, .half_slots = device},
          {.tier = Tier::kHost, .half_slots = host}};
}

// 'k' is KV, 'a' is ACT.
std::vector<CacheKind> Kinds(absl::string_view text) {
  std::vector<CacheKind> kinds;
  for (const char c : text) {
    kinds.push_back(c == 'a' ? CacheKind::kAct : CacheKind::kKv);
  }
  return kinds;
}

// Tiers of the blocks: 'd' or 'h'; "-" if refused.
std::string Tiers(const absl::StatusOr<std::vector<BlockRef>>& blocks) {
  if (!blocks.ok()) return "-";
  std::string text;
  for (const BlockRef& block : *blocks) {
    text += block.tier == Tier::kDevice ? 'd' : 'h';
  }
  return text;
}

TEST(SlotAllocatorTest, TheDeviceFillsFirst) {
  SlotAllocator slots(Pools(4, 10));
  EXPECT_EQ(Tiers(slots.Allocate(Kinds("kak"))), "ddh");
  EXPECT_EQ(Tiers(slots.Allocate(Kinds("aa"))), "dh");
  EXPECT_EQ(slots.num_free(), 14 - 5 - 2);
}

TEST(SlotAllocatorTest, BlocksSayWhatTheyAreAndWhere) {
  SlotAllocator slots(Pools(0, 4));
  const std::vector<BlockRef> blocks = slots.Allocate(Kinds("ka")).value();
  EXPECT_EQ(blocks[0].kind, CacheKind::kKv);
  EXPECT_EQ(blocks[0].first, HalfSlot(0));
  EXPECT_EQ(blocks[0].second, HalfSlot(1));
  EXPECT_EQ(blocks[1].kind, CacheKind::kAct);
  EXPECT_EQ(blocks[1].first, HalfSlot(2));
  EXPECT_EQ(blocks[1].second, HalfSlot(0));
  const std::vector<PoolSnapshot> pools = slots.Snapshot();
  ASSERT_EQ(pools.size(), 1U);  // No device pool.
  EXPECT_EQ(pools[0].tier, Tier::kHost);
  EXPECT_EQ(pools[0].half_slots, 4);
  EXPECT_EQ(pools[0].free, 1);
  EXPECT_EQ(pools[0].kv_blocks, 1);
  EXPECT_EQ(pools[0].act_blocks, 1);
  slots.Free(blocks);
  EXPECT_EQ(slots.Snapshot()[0].kv_blocks, 0);
  EXPECT_EQ(slots.Snapshot()[0].peak_kv_blocks, 1);
  EXPECT_EQ(slots.Snapshot()[0].peak_act_blocks, 1);
}

// One odd half-slot a tier would be stranded if blocks were placed in order.
TEST(SlotAllocatorTest, FindsARoomThatOrderWouldMiss) {
  SlotAllocator slots(Pools(2, 1));
  EXPECT_EQ(Tiers(slots.Allocate(Kinds("ak"))), "hd");
}

TEST(SlotAllocatorTest, WhatFitsAloneFitsOneByOne) {
  // One after the other, the KV block would find a half-slot in each tier.
  EXPECT_FALSE(SlotAllocator(Pools(2, 1)).FitsAlone(Kinds("ak")));
  EXPECT_TRUE(SlotAllocator(Pools(2, 2)).FitsAlone(Kinds("ak")));
  EXPECT_TRUE(SlotAllocator(Pools(0, 3)).FitsAlone(Kinds("ak")));
  EXPECT_TRUE(SlotAllocator(Pools(2, 1)).FitsAlone(Kinds("aaa")));
  EXPECT_FALSE(SlotAllocator(Pools(2, 1)).FitsAlone(Kinds("aaaa")));
  EXPECT_TRUE(SlotAllocator(Pools(2, 3)).FitsAlone(Kinds("kk")));
  EXPECT_FALSE(SlotAllocator(Pools(3, 3)).FitsAlone(Kinds("kkk")));
}

// Property: with any tiers, shares and order, nothing that fits alone fails.
TEST(SlotAllocatorTest, BlocksOneByOneFitWhereTheyFitAlone) {
  std::mt19937 rng(20240917);
  int fits = 0;
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE(round);
    SlotAllocator slots(Pools(static_cast<int32_t>(rng() % 8),
                              static_cast<int32_t>(rng() % 8)));
    std::vector<CacheKind> kinds(1 + rng() % 8);
    for (CacheKind& kind : kinds) {
      kind = rng() % 2 == 0 ? CacheKind::kAct : CacheKind::kKv;
    }
    if (!slots.FitsAlone(kinds)) continue;
    ++fits;
    for (const CacheKind kind : kinds) {
      const DeviceShares shares = {
          .kv_blocks = static_cast<int64_t>(rng() % 4),
          .act_blocks = static_cast<int64_t>(rng() % 4)};
      ASSERT_THAT(slots.Allocate({kind}, shares), IsOk());
    }
  }
  EXPECT_GT(fits, 200);
}

TEST(SlotAllocatorTest, KindsKeepToTheirSharesOfTheDevice) {
  SlotAllocator slots(Pools(8, 8));
  const DeviceShares shares = {.kv_blocks = 1, .act_blocks = 4};
  EXPECT_EQ(Tiers(slots.Allocate(Kinds("kaka"), shares)), "ddhd");
  EXPECT_EQ(Tiers(slots.Allocate(Kinds("kaka"), shares)), "hdhd");
  EXPECT_EQ(slots.num_blocks(CacheKind::kKv), 4);
  EXPECT_EQ(slots.num_blocks(CacheKind::kAct), 4);
  // The host is all but full: what is left of the device is taken all the same.
  EXPECT_EQ(Tiers(slots.Allocate(Kinds("kk"), shares)), "dh");
  EXPECT_EQ(slots.num_free(), 0);
}

TEST(SlotAllocatorTest, RefusalTakesNothing) {
  SlotAllocator slots(Pools(3, 3));
  // Six, but odd in each tier.
  EXPECT_THAT(slots.Allocate(Kinds("kkk")),
              StatusIs(absl::StatusCode::kResourceExhausted, "6 half-slots"));
  EXPECT_EQ(slots.num_free(), 6);
  EXPECT_EQ(Tiers(slots.Allocate(Kinds("kkaa"))), "dhdh");
  EXPECT_EQ(slots.num_free(), 0);
  EXPECT_EQ(Tiers(slots.Allocate(Kinds("a"))), "-");
  EXPECT_EQ(Tiers(slots.Allocate({})), "");
}

// Property: no half-slot is in two live blocks, none is lost, and a request is
// refused only when no placement exists.
TEST(SlotAllocatorTest, AgreesWithASetOverRandomCalls) {
  std::mt19937 rng(20240917);
  SlotAllocator slots(Pools(33, 57));
  std::vector<std::vector<BlockRef>> live;
  std::set<std::pair<Tier, HalfSlot>> used;
  int refused = 0;
  for (int step = 0; step < 5000; ++step) {
    SCOPED_TRACE(step);
    if (rng() % 2 == 0) {
      std::vector<CacheKind> kinds(rng() % 12);
      int64_t kv = 0;
      for (CacheKind& kind : kinds) {
        kind = rng() % 2 == 0 ? CacheKind::kAct : CacheKind::kKv;
        kv += kind == CacheKind::kKv;
      }
      int64_t pairs = 0;
      int64_t free = 0;
      for (const PoolSnapshot& pool : slots.Snapshot()) {
        pairs += pool.free / 2;
        free += pool.free;
      }
      auto blocks = slots.Allocate(kinds);
      const int64_t need = kv + static_cast<int64_t>(kinds.size());
      ASSERT_EQ(blocks.ok(), kv <= pairs && need <= free);
      if (!blocks.ok()) {
        ++refused;
        continue;
      }
      for (size_t i = 0; i < kinds.size(); ++i) {
        const BlockRef& block = (*blocks)[i];
        ASSERT_EQ(block.kind, kinds[i]);
        ASSERT_TRUE(used.insert({block.tier, block.first}).second);
        if (block.kind == CacheKind::kKv) {
          ASSERT_TRUE(used.insert({block.tier, block.second}).second);
        }
      }
      live.push_back(*std::move(blocks));
    } else if (!live.empty()) {
      std::swap(live[rng() % live.size()], live.back());
      slots.Free(live.back());
      for (const BlockRef& block : live.back()) {
        used.erase({block.tier, block.first});
        if (block.kind == CacheKind::kKv) {
          used.erase({block.tier, block.second});
        }
      }
      live.pop_back();
    }
    ASSERT_EQ(slots.num_free(), 90 - static_cast<int64_t>(used.size()));
  }
  EXPECT_GT(refused, 100);
}

TEST(SlotAllocatorTest, KnowsTheDevicesRoomForKv) {
  SlotAllocator slots(Pools(7, 20));
  EXPECT_EQ(slots.DeviceRoomForKv({}), 3);
  EXPECT_EQ(slots.DeviceRoomForKv({.kv_blocks = 2}), 2);
  ASSERT_THAT(slots.Allocate({CacheKind::kKv}), IsOk());
  EXPECT_EQ(slots.DeviceRoomForKv({}), 2);
  EXPECT_EQ(slots.DeviceRoomForKv({.kv_blocks = 2}), 1);
  EXPECT_EQ(slots.DeviceRoomForKv({.kv_blocks = 0}), 0);
}

TEST(SlotAllocatorTest, TokensTakeNoSlots) {
  SlotAllocator slots(Pools(2, 2));
  const std::vector<CacheKind> kinds = {CacheKind::kTokens, CacheKind::kTokens,
                                        CacheKind::kKv, CacheKind::kKv};
  EXPECT_TRUE(slots.FitsAlone(kinds));
  const std::vector<BlockRef> blocks = slots.Allocate(kinds).value();
  EXPECT_EQ(blocks[1], BlockRef{.kind = CacheKind::kTokens});
  EXPECT_EQ(slots.num_free(), 0);
  EXPECT_EQ(slots.num_blocks(CacheKind::kKv), 2);
  slots.Free(blocks);
  EXPECT_EQ(slots.num_free(), 4);
  EXPECT_EQ(slots.num_blocks(CacheKind::kKv), 0);
}

}  // namespace
}  // namespace hybridserve
