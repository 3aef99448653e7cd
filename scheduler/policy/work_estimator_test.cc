#include "scheduler/policy/work_estimator.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr double kFixed = 20e-6;
constexpr double kPerUnit = 1e-9;

LinearCost Line(double fixed, double per_unit) {
  return {.fixed = absl::Seconds(fixed), .seconds_per_unit = per_unit};
}

double Predict(const WorkEstimator& estimator, double count, double units) {
  return absl::ToDoubleSeconds(estimator.cost().fixed) * count +
         estimator.cost().seconds_per_unit * units;
}

// Steps of a serving day: mini-batches come and go, their size too.
class Steps {
 public:
  explicit Steps(double noise) : noise_(noise) {}

  // Times by the true line, `factor` times as long.
  WorkTotals Next(double fixed = kFixed, double per_unit = kPerUnit,
                  double factor = 1) {
    const auto count = std::uniform_int_distribution<int64_t>(8, 48)(rng_);
    const double units = std::uniform_real_distribution<double>(2e5, 4e6)(rng_);
    const double error = std::normal_distribution<double>(1, noise_)(rng_);
    return {.count = count,
            .units = units,
            .busy = absl::Seconds(
                (fixed * static_cast<double>(count) + per_unit * units) *
                factor * std::max(error, 0.5))};
  }

 private:
  std::mt19937 rng_{20240917};
  const double noise_;
};

// Of totals like those of Steps.
double WorstError(const WorkEstimator& estimator, double fixed = kFixed,
                  double per_unit = kPerUnit) {
  double worst = 0;
  for (const double count : {8.0, 24.0, 48.0}) {
    for (const double units : {2e5, 2e6, 4e6}) {
      const double expected = fixed * count + per_unit * units;
      worst = std::max(
          worst, std::abs(Predict(estimator, count, units) / expected - 1));
    }
  }
  return worst;
}

TEST(WorkEstimatorTest, ARightLineStaysUnderNoise) {
  WorkEstimator estimator(Line(kFixed, kPerUnit));
  Steps steps(0.05);
  for (int i = 0; i < 500; ++i) {
    estimator.Add(steps.Next());
    ASSERT_LT(WorstError(estimator), 0.12) << i;
  }
}

TEST(WorkEstimatorTest, WrongByThreeHealsWithinThirtySteps) {
  for (const double fixed : {1.0 / 3, 1.0, 3.0}) {
    for (const double per_unit : {1.0 / 3, 1.0, 3.0}) {
      SCOPED_TRACE(testing::Message() << fixed << " " << per_unit);
      WorkEstimator estimator(Line(fixed * kFixed, per_unit * kPerUnit));
      Steps steps(0.03);
      for (int i = 0; i < 30; ++i) estimator.Add(steps.Next());
      EXPECT_LT(WorstError(estimator), 0.1);
      // And does not swing after that.
      for (int i = 0; i < 100; ++i) {
        estimator.Add(steps.Next());
        ASSERT_LT(WorstError(estimator), 0.1) << i;
      }
    }
  }
}

// A typical step's prediction goes to the truth from its own side.
TEST(WorkEstimatorTest, HealsWithoutOvershoot) {
  constexpr double kTruth = 24 * kFixed + 2e6 * kPerUnit;
  for (const double factor : {1.0 / 3, 3.0}) {
    SCOPED_TRACE(factor);
    WorkEstimator estimator(Line(factor * kFixed, factor * kPerUnit));
    Steps steps(0);
    for (int i = 0; i < 40; ++i) {
      estimator.Add(steps.Next());
      const double ratio = Predict(estimator, 24, 2e6) / kTruth;
      EXPECT_GT(factor > 1 ? ratio : 1 / ratio, 0.95) << i;
    }
    EXPECT_LT(WorstError(estimator), 1e-3);
  }
}

TEST(WorkEstimatorTest, FollowsAMachineThatSlowsDown) {
  WorkEstimator estimator(Line(kFixed, kPerUnit));
  Steps steps(0.03);
  for (int i = 0; i < 100; ++i) estimator.Add(steps.Next());
  for (int i = 0; i < 30; ++i) estimator.Add(steps.Next(kFixed, 3 * kPerUnit));
  EXPECT_LT(WorstError(estimator, kFixed, 3 * kPerUnit), 0.15);
}

TEST(WorkEstimatorTest, ABusyStepWrecksNothing) {
  WorkEstimator estimator(Line(kFixed, kPerUnit));
  Steps steps(0.03);
  for (int i = 0; i < 200; ++i) {
    // One in seven, and now and then two in a row.
    const bool busy = i % 7 == 3 || i % 35 == 4;
    estimator.Add(steps.Next(kFixed, kPerUnit, busy ? 10 : 1));
    ASSERT_LT(WorstError(estimator), 0.15) << i;
  }
}

// Steps that are all alike tell one number: the two coefficients share it.
TEST(WorkEstimatorTest, EqualStepsMoveBothTogether) {
  WorkEstimator estimator(Line(3 * kFixed, 3 * kPerUnit));
  const WorkTotals totals = {
      .count = 10,
      .units = 1e6,
      .busy = absl::Seconds(10 * kFixed + 1e6 * kPerUnit)};
  for (int i = 0; i < 30; ++i) estimator.Add(totals);
  EXPECT_NEAR(Predict(estimator, 10, 1e6), absl::ToDoubleSeconds(totals.busy),
              absl::ToDoubleSeconds(totals.busy) * 1e-3);
  EXPECT_GE(estimator.cost().fixed, absl::ZeroDuration());
  EXPECT_GT(estimator.cost().seconds_per_unit, kPerUnit / 3);
  EXPECT_LT(estimator.cost().seconds_per_unit, kPerUnit * 3);
}

// Nor does what hardly counts in them become many times as dear.
TEST(WorkEstimatorTest, EqualStepsScaleWhatHardlyCounts) {
  WorkEstimator estimator(Line(kFixed, kPerUnit));
  const double units = 0.05 * kFixed / kPerUnit;  // A twentieth of the time.
  const WorkTotals totals = {
      .count = 10,
      .units = 10 * units,
      .busy = absl::Seconds(1.3 * 10 * (kFixed + units * kPerUnit))};
  for (int i = 0; i < 100; ++i) estimator.Add(totals);
  EXPECT_NEAR(absl::ToDoubleSeconds(estimator.cost().fixed), 1.3 * kFixed,
              0.05 * kFixed);
  EXPECT_NEAR(estimator.cost().seconds_per_unit, 1.3 * kPerUnit,
              0.3 * kPerUnit);
}

TEST(WorkEstimatorTest, NeverNegative) {
  WorkEstimator estimator(Line(kFixed, kPerUnit));
  std::mt19937 rng(5);
  // Longer the fewer the units: no line with a positive slope says that.
  for (int i = 0; i < 100; ++i) {
    const double units = 1e6 + 1e5 * static_cast<double>(rng() % 10);
    estimator.Add(
        {.count = 1, .units = units, .busy = absl::Seconds(1e3 / units)});
    ASSERT_GE(estimator.cost().fixed, absl::ZeroDuration());
    ASSERT_GE(estimator.cost().seconds_per_unit, 0);
  }
  EXPECT_NEAR(Predict(estimator, 1, 1.5e6), 1e3 / 1.5e6, 2e-4);
}

TEST(WorkEstimatorTest, LearnsFromNothing) {
  WorkEstimator estimator;
  Steps steps(0.03);
  for (int i = 0; i < 30; ++i) estimator.Add(steps.Next());
  EXPECT_LT(WorstError(estimator), 0.1);
}

}  // namespace
}  // namespace hybridserve
