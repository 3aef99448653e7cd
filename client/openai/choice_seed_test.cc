#include "client/openai/choice_seed.h"

#include <set>

#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

TEST(ChoiceSeedTest, TheFirstIsTheRequestsOwn) {
  EXPECT_EQ(ChoiceSeed(0, 0), 0U);
  EXPECT_EQ(ChoiceSeed(42, 0), 42U);
}

TEST(ChoiceSeedTest, ChoicesDiffer) {
  for (const uint64_t seed : {uint64_t{0}, uint64_t{7}, ~uint64_t{0}}) {
    std::set<uint64_t> seeds;
    for (int64_t choice = 0; choice < 128; ++choice) {
      seeds.insert(ChoiceSeed(seed, choice));
    }
    EXPECT_EQ(seeds.size(), 128U);
  }
}

// SplitMix64's own: the first two outputs of a generator with state 1234567.
TEST(ChoiceSeedTest, KnownValues) {
  EXPECT_EQ(ChoiceSeed(1234567, 1), 6457827717110365317U);
  EXPECT_EQ(ChoiceSeed(1234567, 2), 3203168211198807973U);
}

}  // namespace
}  // namespace hybridserve::openai
