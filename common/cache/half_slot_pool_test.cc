#include "common/cache/half_slot_pool.h"

#include <cstdint>
#include <iterator>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HalfSlotPoolTest, HandsOutLowestIdsAndReusesFreedOnes) {
  HalfSlotPool pool(4);
  EXPECT_THAT(pool.Allocate(3),
              IsOkAndHolds(ElementsAre(HalfSlot(0), HalfSlot(1), HalfSlot(2))));
  pool.Free({HalfSlot(1)});
  EXPECT_THAT(pool.Allocate(2),
              IsOkAndHolds(ElementsAre(HalfSlot(1), HalfSlot(3))));
  EXPECT_EQ(pool.num_free(), 0);
  EXPECT_THAT(pool.Allocate(0), IsOkAndHolds(IsEmpty()));
}

TEST(HalfSlotPoolTest, RefusalLeavesThePoolUnchanged) {
  HalfSlotPool pool(2);
  EXPECT_THAT(pool.Allocate(3), StatusIs(absl::StatusCode::kResourceExhausted,
                                         "3 half-slots wanted, 2 of 2 free"));
  EXPECT_EQ(pool.num_free(), 2);
  EXPECT_THAT(pool.Allocate(2), IsOk());
}

TEST(HalfSlotPoolTest, AnEmptyPoolHasNothing) {
  HalfSlotPool pool(0);
  EXPECT_THAT(pool.Allocate(0), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(pool.Allocate(1), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(HalfSlotPoolDeathTest, DoubleFreeCrashes) {
  HalfSlotPool pool(2);
  const std::vector<HalfSlot> slots = pool.Allocate(1).value();
  pool.Free(slots);
  EXPECT_DEATH(pool.Free(slots), "half-slot\\(0\\) is not in use");
  EXPECT_DEATH(pool.Free({HalfSlot(2)}), "half-slot\\(2\\) is outside");
  EXPECT_DEATH(pool.Free({HalfSlot(-1)}), "half-slot\\(-1\\) is outside");
}

// Property: against a std::set of free ids, no sequence of calls hands out a
// half-slot in use, skips a lower free one, loses one, or miscounts.
TEST(HalfSlotPoolTest, AgreesWithASetOverRandomCalls) {
  // Neither a multiple of the word size nor below it.
  constexpr int32_t kCapacity = 201;
  std::mt19937 rng(20261123);  // Fixed: a failure replays.
  HalfSlotPool pool(kCapacity);
  std::set<HalfSlot> free;
  std::vector<HalfSlot> live;
  for (int32_t i = 0; i < kCapacity; ++i) free.insert(HalfSlot(i));
  for (int step = 0; step < 20'000; ++step) {
    SCOPED_TRACE(step);
    const int32_t count = static_cast<int32_t>(rng() % 24);
    if (rng() % 2 == 0) {
      const absl::StatusOr<std::vector<HalfSlot>> slots = pool.Allocate(count);
      ASSERT_EQ(slots.ok(), count <= static_cast<int32_t>(free.size()));
      if (!slots.ok()) continue;
      const auto end = std::next(free.begin(), count);
      ASSERT_EQ(*slots, std::vector<HalfSlot>(free.begin(), end));
      free.erase(free.begin(), end);
      live.insert(live.end(), slots->begin(), slots->end());
    } else {
      std::vector<HalfSlot> back;
      for (int32_t i = 0; i < count && !live.empty(); ++i) {
        std::swap(live[rng() % live.size()], live.back());
        back.push_back(live.back());
        live.pop_back();
      }
      pool.Free(back);
      free.insert(back.begin(), back.end());
    }
    ASSERT_EQ(pool.num_free(), static_cast<int32_t>(free.size()));
  }
}

}  // namespace
}  // namespace hybridserve
