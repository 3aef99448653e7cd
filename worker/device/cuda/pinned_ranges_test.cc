#include "worker/device/cuda/pinned_ranges.h"

#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(PinnedRangesTest, KnowsWhereEachRangeEnds) {
  PinnedRanges ranges;
  const std::vector<char> memory(100);
  const char* const begin = memory.data();
  EXPECT_EQ(ranges.BytesFrom(begin), 0);
  ranges.Add(begin + 10, 30);
  ranges.Add(begin + 40, 20);  // Side by side.
  EXPECT_EQ(ranges.BytesFrom(begin + 9), 0);
  EXPECT_EQ(ranges.BytesFrom(begin + 10), 30);
  EXPECT_EQ(ranges.BytesFrom(begin + 39), 1);
  EXPECT_EQ(ranges.BytesFrom(begin + 40), 20);
  EXPECT_EQ(ranges.BytesFrom(begin + 60), 0);
  ranges.Remove(begin + 10);
  EXPECT_EQ(ranges.BytesFrom(begin + 20), 0);
  EXPECT_EQ(ranges.BytesFrom(begin + 59), 1);
}

}  // namespace
}  // namespace hybridserve
