#include "scheduler/policy/preemption.h"

#include <algorithm>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int32_t> Choose(const std::vector<PreemptionCandidate>& candidates,
                            int64_t half_slots) {
  return ChoosePreempted(candidates, half_slots);
}

TEST(ChoosePreemptedTest, TheCheapestToRunAgainForWhatItGives) {
  // 10, 8, 4 and 6 positions a half-slot.
  const std::vector<PreemptionCandidate> candidates = {
      {100, 10}, {80, 10}, {40, 10}, {60, 10}};
  EXPECT_THAT(Choose(candidates, 2), ElementsAre(2));
  EXPECT_THAT(Choose(candidates, 10), ElementsAre(2));
  EXPECT_THAT(Choose(candidates, 11), ElementsAre(2, 3));
  EXPECT_THAT(Choose(candidates, 1000), ElementsAre(1, 2, 3));
  EXPECT_THAT(Choose(candidates, 0), IsEmpty());
}

TEST(ChoosePreemptedTest, TheYoungestOfEqualOnes) {
  EXPECT_THAT(Choose({{40, 4}, {40, 4}, {40, 4}}, 1), ElementsAre(2));
}

TEST(ChoosePreemptedTest, WhatHasNotBegunCostsNothing) {
  EXPECT_THAT(Choose({{9, 9}, {0, 1}, {1, 50}}, 1), ElementsAre(1));
}

TEST(ChoosePreemptedTest, NeverTheOldest) {
  EXPECT_THAT(Choose({{0, 100}}, 1), IsEmpty());
  EXPECT_THAT(Choose({{0, 100}, {900, 1}}, 1), ElementsAre(1));
  EXPECT_THAT(Choose({}, 1), IsEmpty());
}

TEST(ChoosePreemptedTest, NoneThatAnotherMakesNeedless) {
  // The first choice gives too little, the second enough for both.
  EXPECT_THAT(Choose({{9, 9}, {1, 2}, {20, 20}}, 10), ElementsAre(2));
}

// Property: enough, wherever there is enough, and no choice is needless.
TEST(ChoosePreemptedTest, EnoughAndNoMore) {
  std::mt19937 rng(20240917);
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE(round);
    std::vector<PreemptionCandidate> candidates(1 + rng() % 8);
    int64_t most = 0;
    for (PreemptionCandidate& candidate : candidates) {
      candidate = {.replay_positions = static_cast<int64_t>(rng() % 100),
                   .half_slots = 1 + static_cast<int64_t>(rng() % 20)};
      most += candidate.half_slots;
    }
    most -= candidates[0].half_slots;
    const auto wanted = static_cast<int64_t>(rng() % 60);
    int64_t freed = 0;
    const std::vector<int32_t> chosen = Choose(candidates, wanted);
    for (const int32_t i : chosen) {
      ASSERT_GT(i, 0);
      freed += candidates[i].half_slots;
    }
    EXPECT_GE(freed, std::min(wanted, most));
    for (const int32_t i : chosen) {
      EXPECT_LT(freed - candidates[i].half_slots, wanted);
    }
  }
}

}  // namespace
}  // namespace hybridserve
