#include "scheduler/queue/drain_rate.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::DoubleNear;
using ::testing::Eq;

constexpr absl::Time kStart = absl::UnixEpoch();

double SecondsFor(const DrainRate& rate, int64_t tokens) {
  return absl::ToDoubleSeconds(rate.TimeFor(tokens).value());
}

TEST(DrainRateTest, KnowsNothingBeforeTwoHaveLeftAQueue) {
  DrainRate rate;
  EXPECT_THAT(rate.TimeFor(10), Eq(std::nullopt));
  rate.Left(kStart, 100, true);
  EXPECT_THAT(rate.TimeFor(10), Eq(std::nullopt));
  rate.Left(kStart + absl::Seconds(2), 100, true);
  EXPECT_THAT(SecondsFor(rate, 50), DoubleNear(1, 1e-9));
}

TEST(DrainRateTest, TimeWithoutAQueueDoesNotCount) {
  DrainRate rate;
  rate.Left(kStart, 100, true);
  rate.Left(kStart + absl::Seconds(1), 100, false);
  rate.Left(kStart + absl::Hours(1), 5, true);
  rate.Left(kStart + absl::Hours(1) + absl::Seconds(1), 100, true);
  EXPECT_THAT(SecondsFor(rate, 100), DoubleNear(1, 0.01));
}

TEST(DrainRateTest, FollowsWhatChanges) {
  DrainRate rate;
  absl::Time now = kStart;
  for (int i = 0; i < 100; ++i) rate.Left(now += absl::Seconds(1), 10, true);
  EXPECT_THAT(SecondsFor(rate, 10), DoubleNear(1, 0.02));
  for (int i = 0; i < 100; ++i) rate.Left(now += absl::Seconds(4), 10, true);
  EXPECT_THAT(SecondsFor(rate, 10), DoubleNear(4, 0.3));
}

}  // namespace
}  // namespace hybridserve
