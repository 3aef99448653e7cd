#include "scheduler/policy/kind_spreader.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

std::string Spread(double act_ratio, int64_t num_blocks) {
  std::string text;
  for (const CacheKind kind : SpreadKinds(act_ratio, num_blocks)) {
    text += kind == CacheKind::kAct ? 'a' : 'k';
  }
  return text;
}

TEST(KindSpreaderTest, SpreadsEvenly) {
  EXPECT_EQ(Spread(0, 5), "kkkkk");
  EXPECT_EQ(Spread(1, 5), "aaaaa");
  EXPECT_EQ(Spread(0.5, 6), "kakaka");
  EXPECT_EQ(Spread(0.25, 8), "kkkakkka");
  EXPECT_EQ(Spread(0.37, 8), "kkakkakk");
  EXPECT_EQ(Spread(0.5, 0), "");
}

TEST(KindSpreaderTest, EveryPrefixHasItsShare) {
  for (const double ratio : {0.0, 0.1, 0.37, 0.5, 0.613, 0.999, 1.0}) {
    const std::vector<CacheKind> kinds = SpreadKinds(ratio, 300);
    for (int64_t n = 0; n <= 300; ++n) {
      EXPECT_EQ(std::count(kinds.begin(), kinds.begin() + n, CacheKind::kAct),
                std::floor(n * ratio))
          << "ratio " << ratio << " of " << n;
    }
  }
}

TEST(KindSpreaderDeathTest, RefusesNoShare) {
  EXPECT_DEATH(SpreadKinds(1.5, 3), "1.5");
  EXPECT_DEATH(SpreadKinds(std::nan(""), 3), "nan");
}

}  // namespace
}  // namespace hybridserve
