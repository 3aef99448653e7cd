#include "scheduler/policy/radix_order.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(LargestFirstTest, EqualOnesKeepTheirOrder) {
  const std::vector<uint64_t> keys = {3, 700, 3, 0, UINT64_MAX};
  EXPECT_THAT(LargestFirst(keys), ElementsAre(4, 1, 0, 2, 3));
  EXPECT_THAT(LargestFirst({}), IsEmpty());
  const std::vector<uint64_t> zeros(3, 0);
  EXPECT_THAT(LargestFirst(zeros), ElementsAre(0, 1, 2));
}

// Property: as a stable sort would have it.
TEST(LargestFirstTest, AgreesWithASort) {
  std::mt19937_64 rng(20240917);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    std::vector<uint64_t> keys(rng() % 300);
    const int bits = 1 + static_cast<int>(rng() % 64);
    for (uint64_t& key : keys) key = rng() >> (64 - bits);
    std::vector<int32_t> expected(keys.size());
    std::iota(expected.begin(), expected.end(), 0);
    std::stable_sort(
        expected.begin(), expected.end(),
        [&keys](int32_t a, int32_t b) { return keys[a] > keys[b]; });
    EXPECT_EQ(LargestFirst(keys), expected);
  }
}

}  // namespace
}  // namespace hybridserve
