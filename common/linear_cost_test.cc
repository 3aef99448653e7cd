#include "common/linear_cost.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::DoubleNear;

double FixedSeconds(const LinearCost& cost) {
  return absl::ToDoubleSeconds(cost.fixed);
}

TEST(LinearCostTest, RecoversAnExactLine) {
  std::vector<CostSample> samples;
  for (const double units : {1e3, 1e4, 1e5}) {
    samples.push_back({units, absl::Seconds(2e-5 + 3e-9 * units)});
  }
  const LinearCost cost = FitLinearCost(samples).value();
  EXPECT_THAT(FixedSeconds(cost), DoubleNear(2e-5, 1e-9));
  EXPECT_THAT(cost.seconds_per_unit, DoubleNear(3e-9, 1e-13));
  EXPECT_THAT(cost.r_squared, DoubleNear(1, 1e-6));
  EXPECT_THAT(absl::ToDoubleSeconds(cost.At(2e4)), DoubleNear(8e-5, 1e-9));
}

TEST(LinearCostTest, ReportsHowWellNoisySamplesFit) {
  // By hand: slope 2 s, intercept 2/3 s, residuals 1/3, -2/3, 1/3.
  const LinearCost cost =
      FitLinearCost(
          {{1, absl::Seconds(3)}, {2, absl::Seconds(4)}, {3, absl::Seconds(7)}})
          .value();
  EXPECT_THAT(cost.seconds_per_unit, DoubleNear(2, 1e-9));
  EXPECT_THAT(FixedSeconds(cost), DoubleNear(2.0 / 3, 1e-9));
  EXPECT_THAT(cost.r_squared, DoubleNear(1 - (6.0 / 9) / (26.0 / 3), 1e-9));
}

TEST(LinearCostTest, NegativeCoefficientsBecomeZero) {
  const LinearCost through_origin =
      FitLinearCost({{1, absl::Seconds(1)}, {2, absl::Seconds(4)}}).value();
  EXPECT_EQ(through_origin.fixed, absl::ZeroDuration());
  EXPECT_THAT(through_origin.seconds_per_unit, DoubleNear(9.0 / 5, 1e-12));

  const LinearCost flat =
      FitLinearCost({{1, absl::Seconds(4)}, {2, absl::Seconds(2)}}).value();
  EXPECT_EQ(flat.seconds_per_unit, 0);
  EXPECT_EQ(flat.fixed, absl::Seconds(3));
  EXPECT_EQ(flat.r_squared, 0);
}

TEST(LinearCostTest, EqualDurationsAreAPerfectFit) {
  const LinearCost cost =
      FitLinearCost({{1, absl::Seconds(2)}, {9, absl::Seconds(2)}}).value();
  EXPECT_EQ(cost.fixed, absl::Seconds(2));
  EXPECT_EQ(cost.seconds_per_unit, 0);
  EXPECT_EQ(cost.r_squared, 1);
}

// Property: no line with non-negative coefficients near the fitted one has a
// smaller sum of squares.
TEST(LinearCostTest, NoNeighbourFitsBetter) {
  std::mt19937 rng(20261123);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int trial = 0; trial < 200; ++trial) {
    SCOPED_TRACE(trial);
    std::vector<CostSample> samples;
    samples.reserve(5);
    for (int i = 0; i < 5; ++i) {
      samples.push_back({i + uniform(rng), absl::Seconds(4 * uniform(rng))});
    }
    const auto squares = [&samples](double fixed, double per_unit) {
      double sum = 0;
      for (const CostSample& sample : samples) {
        sum += std::pow(absl::ToDoubleSeconds(sample.duration) - fixed -
                            per_unit * sample.units,
                        2);
      }
      return sum;
    };
    const LinearCost cost = FitLinearCost(samples).value();
    const double fixed = FixedSeconds(cost);
    const double best = squares(fixed, cost.seconds_per_unit);
    ASSERT_GE(fixed, 0);
    ASSERT_GE(cost.seconds_per_unit, 0);
    for (const double df : {-1e-3, 0.0, 1e-3}) {
      for (const double dp : {-1e-3, 0.0, 1e-3}) {
        if (fixed + df < 0 || cost.seconds_per_unit + dp < 0) continue;
        ASSERT_GE(squares(fixed + df, cost.seconds_per_unit + dp), best - 1e-9);
      }
    }
  }
}

// A scheduler refuses the profile of a worker with an R squared outside [0, 1].
TEST(LinearCostTest, ALineThatExplainsNothingHasNoNegativeRSquared) {
  for (int64_t least = 9000; least < 12'000; ++least) {
    // Their covariance is 0 but for rounding.
    const auto after = [least](int64_t more) {
      return absl::Nanoseconds(least + more);
    };
    const auto cost = FitLinearCost(
        {{{1, after(0)}, {2, after(6)}, {3, after(0)}, {4, after(2)}}});
    ASSERT_GE(cost->r_squared, 0) << least;
  }
}

TEST(LinearCostTest, RefusesWhatGivesNoLine) {
  const auto refused = [](const std::vector<CostSample>& samples) {
    return testing::Value(FitLinearCost(samples),
                          StatusIs(absl::StatusCode::kInvalidArgument));
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({{1, absl::Seconds(1)}}));
  EXPECT_TRUE(refused({{1, absl::Seconds(1)}, {1, absl::Seconds(2)}}));
  EXPECT_TRUE(refused({{-1, absl::Seconds(1)}, {1, absl::Seconds(2)}}));
  EXPECT_TRUE(refused({{0, -absl::Seconds(1)}, {1, absl::Seconds(2)}}));
  EXPECT_TRUE(refused({{0, absl::InfiniteDuration()}, {1, absl::Seconds(2)}}));
  EXPECT_TRUE(
      refused({{std::numeric_limits<double>::quiet_NaN(), absl::Seconds(1)},
               {1, absl::Seconds(2)}}));
}

}  // namespace
}  // namespace hybridserve
