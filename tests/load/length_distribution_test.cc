#include "tests/load/length_distribution.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

struct Drawn {
  int64_t least = INT64_MAX;
  int64_t most = 0;
  double mean = 0;
};

Drawn DrawMany(absl::string_view text) {
  const LengthDistribution lengths = LengthDistribution::Parse(text).value();
  std::mt19937_64 random(1);
  Drawn drawn;
  constexpr int kTimes = 10'000;
  for (int i = 0; i < kTimes; ++i) {
    const int64_t length = lengths.Draw(random);
    drawn.least = std::min(drawn.least, length);
    drawn.most = std::max(drawn.most, length);
    drawn.mean += static_cast<double>(length) / kTimes;
  }
  return drawn;
}

TEST(LengthDistributionTest, DrawsWhatItSays) {
  EXPECT_EQ(DrawMany("7").least, 7);
  EXPECT_EQ(DrawMany("7").most, 7);
  EXPECT_EQ(DrawMany("3-12").least, 3);
  EXPECT_EQ(DrawMany("3-12").most, 12);
  const Drawn geometric = DrawMany("geometric:20");
  EXPECT_EQ(geometric.least, 1);
  EXPECT_GT(geometric.most, 80);
  EXPECT_LE(geometric.most, 160);
  EXPECT_NEAR(geometric.mean, 20, 1);
}

TEST(LengthDistributionTest, RefusesWhatIsNone) {
  for (const char* text : {"", "0", "-1", "x", "5-3", "0-3",
                           "geometric:", "geometric:0", "1-2-3", "99999999"}) {
    EXPECT_EQ(LengthDistribution::Parse(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

}  // namespace
}  // namespace hybridserve
