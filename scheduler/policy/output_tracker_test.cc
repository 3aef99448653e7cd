#include "scheduler/policy/output_tracker.h"

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(OutputTrackerTest, AllOfMaxTokensUntilToldOtherwise) {
  OutputTracker tracker;
  EXPECT_EQ(tracker.share(), 1);
  for (int i = 0; i < 100; ++i) tracker.Add(50, 50);
  EXPECT_EQ(tracker.share(), 1);
}

TEST(OutputTrackerTest, ComesToWhatRequestsDo) {
  OutputTracker tracker;
  tracker.Add(10, 100);
  EXPECT_GT(tracker.share(), 0.9);  // One says little.
  for (int i = 0; i < 300; ++i) tracker.Add(10, 100);
  EXPECT_NEAR(tracker.share(), 0.1, 0.01);
  for (int i = 0; i < 300; ++i) tracker.Add(60, 100);
  EXPECT_NEAR(tracker.share(), 0.6, 0.01);
}

TEST(OutputTrackerTest, ExpectsMoreWhereTheyDiffer) {
  OutputTracker tracker;
  for (int i = 0; i < 300; ++i) tracker.Add(i % 2 == 0 ? 10 : 50, 100);
  EXPECT_NEAR(tracker.share(), 0.3 + 0.2, 0.05);
}

TEST(OutputTrackerDeathTest, MoreThanMaxTokens) {
  OutputTracker tracker;
  EXPECT_DEATH(tracker.Add(11, 10), "11 of 10 tokens");
}

}  // namespace
}  // namespace hybridserve
