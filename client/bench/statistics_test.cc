#include "client/bench/statistics.h"

#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(MedianTest, IsTheMiddleWhateverTheOrder) {
  EXPECT_EQ(Median({3}), 3);
  EXPECT_EQ(Median({9, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 8, 2}), 3);
}

TEST(MedianDeathTest, OfNothingIsABug) { EXPECT_DEATH(Median({}), "empty"); }

TEST(SpreadOfTest, SkipsWhatWasNotMeasured) {
  const std::vector<std::optional<double>> values = {5.0, std::nullopt, 2.0,
                                                     11.0};
  const std::optional<Spread> spread = SpreadOf(values);
  ASSERT_TRUE(spread.has_value());
  EXPECT_EQ(spread->median, 5);
  EXPECT_EQ(spread->min, 2);
  EXPECT_EQ(spread->max, 11);
  EXPECT_EQ(spread->samples, values);
}

TEST(SpreadOfTest, OfNothingIsUnset) {
  EXPECT_FALSE(SpreadOf({}).has_value());
  const std::vector<std::optional<double>> values = {std::nullopt};
  EXPECT_FALSE(SpreadOf(values).has_value());
}

}  // namespace
}  // namespace hybridserve
