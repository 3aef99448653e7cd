#include "scheduler/policy/profile_tracker.h"

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

WorkProfile Registered() {
  WorkProfile profile;
  profile.fits[WorkKind::kKv] = {
      .cost = {.fixed = absl::Seconds(1), .seconds_per_unit = 2},
      .samples = {{.units = 1, .duration = absl::Seconds(3)}}};
  return profile;
}

PerWorkKind<WorkTotals> KvStep(double units, double seconds) {
  PerWorkKind<WorkTotals> work;
  work[WorkKind::kKv] = {
      .count = 1, .units = units, .busy = absl::Seconds(seconds)};
  return work;
}

TEST(ProfileTrackerTest, FollowsEachKindByItself) {
  ProfileTracker tracker(Registered());
  EXPECT_EQ(tracker.profile().cost(WorkKind::kKv).seconds_per_unit, 2);
  for (int i = 0; i < 40; ++i) tracker.Add(KvStep(1 + i % 10, 4 + i % 10));
  const WorkProfile& profile = tracker.profile();
  EXPECT_NEAR(profile.cost(WorkKind::kKv).seconds_per_unit, 1, 0.01);
  EXPECT_NEAR(absl::ToDoubleSeconds(profile.cost(WorkKind::kKv).fixed), 3,
              0.05);
  EXPECT_EQ(profile.fits[WorkKind::kKv].samples.size(), 1U);
  EXPECT_EQ(profile.cost(WorkKind::kAct).seconds_per_unit, 0);
}

TEST(ProfileTrackerTest, SaysWhatWasNotUsed) {
  ProfileTracker tracker(Registered());
  EXPECT_FALSE(tracker.IsUnused(WorkKind::kKv));
  for (int i = 0; i < 15; ++i) tracker.Add(KvStep(1, 3));
  EXPECT_FALSE(tracker.IsUnused(WorkKind::kAct));
  tracker.Add(KvStep(1, 3));
  EXPECT_TRUE(tracker.IsUnused(WorkKind::kAct));
  EXPECT_FALSE(tracker.IsUnused(WorkKind::kKv));
  PerWorkKind<WorkTotals> work;
  work[WorkKind::kAct] = {.count = 1, .units = 5, .busy = absl::Seconds(5)};
  tracker.Add(work);
  EXPECT_FALSE(tracker.IsUnused(WorkKind::kAct));
  EXPECT_EQ(tracker.profile().cost(WorkKind::kAct).seconds_per_unit, 1);
  for (int i = 0; i < 15; ++i) tracker.Add({});
  EXPECT_TRUE(tracker.IsUnused(WorkKind::kKv));
  EXPECT_FALSE(tracker.IsUnused(WorkKind::kAct));
}

}  // namespace
}  // namespace hybridserve
