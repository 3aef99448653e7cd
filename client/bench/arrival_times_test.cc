#include "client/bench/arrival_times.h"

#include <initializer_list>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using Arrivals = std::vector<std::vector<absl::Time>>;

absl::Time At(double seconds) {
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

std::vector<absl::Time> Times(std::initializer_list<double> seconds) {
  std::vector<absl::Time> times;
  times.reserve(seconds.size());
  for (const double second : seconds) times.push_back(At(second));
  return times;
}

TEST(ArrivalTimesTest, RatesCountFromSendingToTheLastToken) {
  const Arrivals arrivals = {Times({2, 3, 4}), Times({3, 5})};
  EXPECT_DOUBLE_EQ(TotalTokensPerSecond(At(0), arrivals), 1);
  EXPECT_DOUBLE_EQ(TotalTokensPerSecond(At(1), arrivals), 1.25);
}

TEST(ArrivalTimesTest, TakesMediansOfRequests) {
  const Arrivals arrivals = {Times({2, 3, 4}), Times({3, 5}), Times({7})};
  EXPECT_DOUBLE_EQ(MedianSecondsToFirst(At(1), arrivals), 2);
  EXPECT_DOUBLE_EQ(MedianSecondsBetween(arrivals).value(), 1.5);
  EXPECT_FALSE(MedianSecondsBetween(Arrivals{Times({7})}).has_value());
}

TEST(ArrivalTimesTest, WithinAWindowOnlyWhatBothEndsOfAreInItCounts) {
  const Arrivals arrivals = {Times({1, 2, 3, 4, 9}), Times({2, 4, 6})};
  // One token a second, and half of one.
  EXPECT_DOUBLE_EQ(TokensPerSecondWithin(At(1.5), At(4), arrivals).value(),
                   1.5);
  EXPECT_FALSE(TokensPerSecondWithin(At(6.5), At(10), arrivals).has_value());
}

}  // namespace
}  // namespace hybridserve
