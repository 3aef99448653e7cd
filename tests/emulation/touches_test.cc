#include "tests/emulation/touches.h"

#include "gtest/gtest.h"

namespace hybridserve::emulation {
namespace {

TEST(OrderedTest, ByOneThreadOrByABarrierBetween) {
  const ThreadPoint first = {.block = 1, .thread = 3};
  EXPECT_TRUE(Ordered(first, first));
  EXPECT_FALSE(Ordered(first, {.block = 1, .thread = 4}));
  EXPECT_TRUE(Ordered(first, {.block = 1, .thread = 40, .barriers = 1}));
  EXPECT_TRUE(Ordered(first, {.block = 1, .thread = 4, .warp_syncs = 1}));
  // Another warp's.
  EXPECT_FALSE(Ordered(first, {.block = 1, .thread = 40, .warp_syncs = 1}));
  // Another block's.
  EXPECT_FALSE(Ordered(first, {.block = 2, .thread = 3, .barriers = 1}));
}

TEST(TouchesTest, ReadersDoNotRace) {
  Touches touches;
  for (const int32_t thread : {0, 1, 2, 3}) {
    EXPECT_FALSE(touches.Add(AccessKind::kRead, {.thread = thread}));
  }
  EXPECT_FALSE(touches.written());
}

TEST(TouchesTest, AWriterRacesWithReadersAndWriters) {
  Touches touches;
  EXPECT_FALSE(touches.Add(AccessKind::kRead, {.thread = 0}));
  EXPECT_FALSE(touches.Add(AccessKind::kRead, {.thread = 1}));
  EXPECT_TRUE(touches.Add(AccessKind::kWrite, {.thread = 1}));
  EXPECT_TRUE(touches.Add(AccessKind::kWrite, {.thread = 2}));
  EXPECT_TRUE(touches.Add(AccessKind::kRead, {.thread = 0}));
  EXPECT_FALSE(touches.Add(AccessKind::kRead, {.thread = 0, .barriers = 1}));
  EXPECT_FALSE(touches.Add(AccessKind::kWrite, {.thread = 5, .barriers = 2}));
}

TEST(TouchesTest, AWarpsOwnBarrierIsNoneForOtherWarps) {
  for (const int32_t other : {32, 40}) {
    Touches touches;
    for (const int32_t thread : {0, 1, other}) {
      EXPECT_FALSE(touches.Add(AccessKind::kRead, {.thread = thread}));
    }
    EXPECT_TRUE(
        touches.Add(AccessKind::kWrite, {.thread = 0, .warp_syncs = 1}));
  }
}

TEST(TouchesTest, OneThreadDoesAsItLikes) {
  Touches touches;
  for (const AccessKind kind : {AccessKind::kWrite, AccessKind::kRead,
                                AccessKind::kAtomic, AccessKind::kWrite}) {
    EXPECT_FALSE(touches.Add(kind, {.thread = 7}));
  }
}

TEST(TouchesTest, AtomicsRaceWithOthersOnly) {
  Touches touches;
  EXPECT_FALSE(touches.Add(AccessKind::kAtomic, {.thread = 0}));
  EXPECT_FALSE(touches.Add(AccessKind::kAtomic, {.block = 1, .thread = 1}));
  EXPECT_TRUE(touches.Add(AccessKind::kRead, {.thread = 2}));
}

}  // namespace
}  // namespace hybridserve::emulation
