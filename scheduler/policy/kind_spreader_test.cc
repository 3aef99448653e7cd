#include "scheduler/policy/kind_spreader.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

std::string Spread(int64_t num_act, int64_t num_blocks) {
  std::string text;
  for (const CacheKind kind : SpreadKinds(num_act, num_blocks)) {
    text += kind == CacheKind::kAct ? 'a' : 'k';
  }
  return text;
}

TEST(KindSpreaderTest, SpreadsEvenly) {
  EXPECT_EQ(Spread(0, 5), "kkkkk");
  EXPECT_EQ(Spread(5, 5), "aaaaa");
  EXPECT_EQ(Spread(3, 6), "kakaka");
  EXPECT_EQ(Spread(2, 8), "kkkakkka");
  EXPECT_EQ(Spread(3, 8), "kkakkaka");
  EXPECT_EQ(Spread(0, 0), "");
}

TEST(KindSpreaderTest, EveryPrefixHasItsShare) {
  for (const int64_t num_act : {0, 1, 30, 111, 150, 184, 299, 300}) {
    const std::vector<CacheKind> kinds = SpreadKinds(num_act, 300);
    ASSERT_EQ(kinds.size(), 300);
    for (int64_t n = 0; n <= 300; ++n) {
      EXPECT_EQ(std::count(kinds.begin(), kinds.begin() + n, CacheKind::kAct),
                n * num_act / 300)
          << num_act << " ACT, of " << n;
    }
  }
}

TEST(KindSpreaderDeathTest, RefusesMoreThanThereAre) {
  EXPECT_DEATH(SpreadKinds(4, 3), "4 of 3");
  EXPECT_DEATH(SteeredActBlocks(std::nan(""), 0, 0, 3), "nan");
}

TEST(KindSpreaderTest, RecomputedBlocksComeFirst) {
  const auto kinds = SpreadKinds(2, 4, 3);
  EXPECT_EQ(kinds, (std::vector<CacheKind>{
                       CacheKind::kTokens, CacheKind::kTokens,
                       CacheKind::kTokens, CacheKind::kKv, CacheKind::kAct,
                       CacheKind::kKv, CacheKind::kAct}));
  EXPECT_EQ(SpreadKinds(0, 0, 2),
            std::vector<CacheKind>(2, CacheKind::kTokens));
}

TEST(SteeredActBlocksTest, BringsThePoolToTheMix) {
  EXPECT_EQ(SteeredActBlocks(0.5, 0, 0, 10), 5);
  EXPECT_EQ(SteeredActBlocks(0.5, 6, 10, 10), 4);
  EXPECT_EQ(SteeredActBlocks(0.5, 0, 100, 12), 9);
  EXPECT_EQ(SteeredActBlocks(0.5, 100, 100, 12), 3);
  EXPECT_EQ(SteeredActBlocks(0.9, 0, 100, 10), 10);
  EXPECT_EQ(SteeredActBlocks(0.5, 3, 7, 0), 0);
  // Policies of one kind stay pure.
  EXPECT_EQ(SteeredActBlocks(0, 0, 10, 10), 0);
  EXPECT_EQ(SteeredActBlocks(1, 0, 10, 10), 10);
}

// So a mix that fills a pool to the last slot fits.
TEST(SteeredActBlocksTest, SequencesTogetherAreTheMix) {
  for (const int64_t mixed : {391, 392, 773, 779, 780}) {
    const double ratio = static_cast<double>(mixed) / 780;
    int64_t act = 0;
    for (int64_t i = 0; i < 12; ++i) {
      act += SteeredActBlocks(ratio, act, i * 65, 65);
    }
    EXPECT_EQ(act, mixed);
  }
}

// Sequences come and go, the mix moves: the pool follows.
TEST(SteeredActBlocksTest, ThePoolFollowsTheMix) {
  std::deque<std::pair<int64_t, int64_t>> running;  // ACT blocks, blocks.
  int64_t act = 0;
  int64_t blocks = 0;
  for (const double mix : {0.37, 0.9, 0.11}) {
    for (int i = 0; i < 60; ++i) {
      const int64_t num_new = 3 + i % 5;
      const int64_t num_act = SteeredActBlocks(mix, act, blocks, num_new);
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
