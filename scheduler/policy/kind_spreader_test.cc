#include "scheduler/policy/kind_spreader.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <string>
#include <utility>

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

TEST(SpreadKindsTest, RecomputedBlocksComeFirst) {
  const auto kinds = SpreadKinds(0.5, 7, 3);
  EXPECT_EQ(kinds, (std::vector<CacheKind>{
                       CacheKind::kTokens, CacheKind::kTokens,
                       CacheKind::kTokens, CacheKind::kKv, CacheKind::kAct,
                       CacheKind::kKv, CacheKind::kAct}));
  EXPECT_EQ(SpreadKinds(1, 2, 2),
            std::vector<CacheKind>(2, CacheKind::kTokens));
}

TEST(SteeredActRatioTest, BringsThePoolToTheMix) {
  EXPECT_EQ(SteeredActRatio(0.5, 0, 0, 10), 0.5);
  EXPECT_DOUBLE_EQ(SteeredActRatio(0.5, 6, 10, 10), 0.4);
  EXPECT_DOUBLE_EQ(SteeredActRatio(0.5, 0, 100, 10), 0.75);
  EXPECT_DOUBLE_EQ(SteeredActRatio(0.5, 100, 100, 10), 0.25);
  EXPECT_EQ(SteeredActRatio(0.9, 0, 100, 10), 1);
  // Policies of one kind stay pure.
  EXPECT_EQ(SteeredActRatio(0, 0, 10, 10), 0);
  EXPECT_EQ(SteeredActRatio(1, 0, 10, 10), 1);
}

// Sequences come and go, the mix moves: the pool follows.
TEST(SteeredActRatioTest, ThePoolFollowsTheMix) {
  std::deque<std::pair<int64_t, int64_t>> running;  // ACT blocks, blocks.
  int64_t act = 0;
  int64_t blocks = 0;
  for (const double mix : {0.37, 0.9, 0.11}) {
    for (int i = 0; i < 60; ++i) {
      const int64_t num_new = 3 + i % 5;
      const auto kinds =
          SpreadKinds(SteeredActRatio(mix, act, blocks, num_new), num_new);
      const int64_t num_act =
          std::count(kinds.begin(), kinds.end(), CacheKind::kAct);
      running.push_back({num_act, num_new});
      act += num_act;
      blocks += num_new;
      if (running.size() <= 16) continue;
      act -= running.front().first;
      blocks -= running.front().second;
      running.pop_front();
    }
    EXPECT_NEAR(static_cast<double>(act) / static_cast<double>(blocks), mix,
                0.03);
  }
}

}  // namespace
}  // namespace hybridserve
