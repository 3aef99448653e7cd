#include "client/chart/axis.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

TEST(MakeAxisTest, EndsAtARoundTickAboveTheLargest) {
  const Axis axis = MakeAxis(17.3, 5);
  EXPECT_THAT(axis.ticks, ElementsAre(0, 5, 10, 15, 20));
  EXPECT_EQ(axis.max, 20);
  EXPECT_THAT(MakeAxis(0.04, 4).ticks,
              ElementsAre(0, DoubleEq(0.01), DoubleEq(0.02), DoubleEq(0.03),
                          DoubleEq(0.04)));
  EXPECT_EQ(MakeAxis(100, 5).max, 100);
}

TEST(MakeAxisTest, HasTicksWithoutValues) {
  for (const double none :
       {0.0, -3.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(MakeAxis(none, 4).max, 1) << none;
  }
}

TEST(FormatNumberTest, HasAboutThreeDigits) {
  EXPECT_EQ(FormatNumber(0), "0");
  EXPECT_EQ(FormatNumber(0.25), "0.25");
  EXPECT_EQ(FormatNumber(2), "2");
  EXPECT_EQ(FormatNumber(12.44), "12.4");
  EXPECT_EQ(FormatNumber(347.2), "347");
  EXPECT_EQ(FormatNumber(3470), "3,470");
  EXPECT_EQ(FormatNumber(1234567), "1,234,567");
  EXPECT_EQ(FormatNumber(100), "100");
  EXPECT_EQ(FormatNumber(0.012), "0.012");
}

}  // namespace
}  // namespace hybridserve
