#include "scheduler/policy/pool_forecast.h"

#include <algorithm>
#include <random>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

// A prompt of 20 and max_tokens 80: 25 blocks of 4, two half-slots each.
Footprint Of(int64_t generated) {
  const int64_t positions = 20 + generated;
  const int64_t blocks = (positions + 3) / 4;
  return {.blocks = blocks,
          .half_slots = 2 * blocks,
          .full_blocks = 25,
          .full_half_slots = 50,
          .positions = positions,
          .generated = generated,
          .max_tokens = 80};
}

TEST(ExpectGrowthTest, ToTheShareOfMaxTokens) {
  const ExpectedGrowth all = ExpectGrowth(Of(0), 1, 4);
  EXPECT_EQ(all.half_slots, 10);
  EXPECT_EQ(all.final_half_slots, 50);
  EXPECT_EQ(all.steps, 80);
  const ExpectedGrowth half = ExpectGrowth(Of(10), 0.5, 4);
  EXPECT_EQ(half.half_slots, 16);
  EXPECT_EQ(half.final_half_slots, 30);  // Of 60 positions.
  EXPECT_EQ(half.steps, 30);
  Footprint waits = Of(10);
  waits.other_steps = 7;
  EXPECT_EQ(ExpectGrowth(waits, 0.5, 4).steps, 37);
}

TEST(ExpectGrowthTest, BeyondTheShareAnotherBlock) {
  for (const double share : {0.0, 0.25}) {
    const ExpectedGrowth more = ExpectGrowth(Of(20), share, 4);
    EXPECT_EQ(more.half_slots, 20);
    EXPECT_EQ(more.final_half_slots, 22);
    EXPECT_EQ(more.steps, 4);
  }
  // But no further than max_tokens.
  const ExpectedGrowth last = ExpectGrowth(Of(79), 0.25, 4);
  EXPECT_EQ(last.final_half_slots, 50);
  EXPECT_EQ(last.steps, 1);
}

TEST(ExpectGrowthTest, AScoredPromptDoesNotGrow) {
  const ExpectedGrowth score = ExpectGrowth({.blocks = 5,
                                             .half_slots = 7,
                                             .full_blocks = 5,
                                             .full_half_slots = 7,
                                             .positions = 18},
                                            1, 4);
  EXPECT_EQ(score.half_slots, 7);
  EXPECT_EQ(score.final_half_slots, 7);
  EXPECT_EQ(score.steps, 1);
}

TEST(PeakHalfSlotsTest, OfNoneIsNothing) { EXPECT_EQ(PeakHalfSlots({}), 0); }

TEST(PeakHalfSlotsTest, OneMayEndBeforeAnotherGrows) {
  const ExpectedGrowth growing = {
      .half_slots = 10, .final_half_slots = 30, .steps = 20};
  // After 5 steps the second gives back 12, when the first has 15.
  EXPECT_EQ(PeakHalfSlots({growing, {8, 12, 5}}), 30);
  EXPECT_EQ(PeakHalfSlots({growing, {14, 18, 5}}), 33);
  EXPECT_EQ(PeakHalfSlots({growing, {14, 18, 20}}), 48);
}

// Property: the same as going through all the steps.
TEST(PeakHalfSlotsTest, AgreesWithEveryStep) {
  std::mt19937 rng(20240917);
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE(round);
    std::vector<ExpectedGrowth> sequences(1 + rng() % 10);
    for (ExpectedGrowth& sequence : sequences) {
      sequence.half_slots = static_cast<int64_t>(rng() % 50);
      sequence.final_half_slots =
          sequence.half_slots + static_cast<int64_t>(rng() % 50);
      sequence.steps = 1 + static_cast<int64_t>(rng() % 40);
    }
    double most = 0;
    for (int64_t step = 0; step <= 40; ++step) {
      double used = 0;
      for (const ExpectedGrowth& sequence : sequences) {
        if (step > sequence.steps) continue;
        const auto grown = static_cast<double>(sequence.final_half_slots -
                                               sequence.half_slots);
        used += static_cast<double>(sequence.half_slots) +
                grown * static_cast<double>(step) /
                    static_cast<double>(sequence.steps);
      }
      most = std::max(most, used);
    }
    const auto peak = static_cast<double>(PeakHalfSlots(sequences));
    EXPECT_GE(peak, most - 1e-3);
    EXPECT_LT(peak, most + 1);
  }
}

}  // namespace
}  // namespace hybridserve
