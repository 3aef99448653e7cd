#include "client/bench/ideal_time.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

void AddCost(v1::WorkKind kind, double fixed, double per_unit,
             v1::WorkerProfile& profile) {
  v1::WorkCost& cost = *profile.add_costs();
  cost.set_kind(kind);
  cost.set_fixed_seconds(fixed);
  cost.set_seconds_per_unit(per_unit);
}

void AddWork(v1::WorkKind kind, uint64_t count, double units,
             v1::WorkerTotals& totals) {
  v1::WorkTotals& work = *totals.add_work();
  work.set_kind(kind);
  work.set_count(count);
  work.set_units(units);
}

std::optional<StreamSeconds> Ideal(const v1::WorkerProfile& profile,
                                   const v1::WorkerTotals& before,
                                   const v1::WorkerTotals& after) {
  return IdealSeconds(SecondsByKind(profile, before, after));
}

TEST(SecondsByKindTest, TellsPiecesUnitsAndTimesOfWorkThatWasDone) {
  v1::WorkerProfile profile;
  AddCost(v1::WORK_KIND_REBUILD, 1, 0.5, profile);
  v1::WorkerTotals before;
  AddWork(v1::WORK_KIND_REBUILD, 4, 7, before);
  AddWork(v1::WORK_KIND_HEAD, 4, 7, before);
  before.mutable_work(0)->set_busy_seconds(2);
  v1::WorkerTotals after;
  AddWork(v1::WORK_KIND_HEAD, 4, 7, after);
  AddWork(v1::WORK_KIND_REBUILD, 6, 11, after);
  AddWork(v1::WORK_KIND_KV, 1, 3, after);
  after.mutable_work(1)->set_busy_seconds(7);
  const std::vector<KindSeconds> kinds = SecondsByKind(profile, before, after);
  ASSERT_EQ(kinds.size(), 2);
  EXPECT_EQ(kinds[0].kind, v1::WORK_KIND_REBUILD);
  EXPECT_DOUBLE_EQ(kinds[0].pieces, 2);
  EXPECT_DOUBLE_EQ(kinds[0].units, 4);
  EXPECT_DOUBLE_EQ(kinds[0].in_steps, 5);
  EXPECT_DOUBLE_EQ(kinds[0].alone.value(), 4);
  EXPECT_EQ(kinds[1].kind, v1::WORK_KIND_KV);
  EXPECT_FALSE(kinds[1].alone.has_value());
}

TEST(IdealSecondsTest, AddsUpEachStreamsPiecesAndUnits) {
  v1::WorkerProfile profile;
  AddCost(v1::WORK_KIND_WEIGHTS, 0.5, 0.01, profile);
  AddCost(v1::WORK_KIND_KV, 0.25, 0.02, profile);
  AddCost(v1::WORK_KIND_REBUILD, 1, 0.5, profile);
  AddCost(v1::WORK_KIND_HEAD, 0.125, 0, profile);
  AddCost(v1::WORK_KIND_WRITE_BACK, 0, 0.25, profile);
  v1::WorkerTotals before;
  AddWork(v1::WORK_KIND_WEIGHTS, 10, 1000, before);
  AddWork(v1::WORK_KIND_REBUILD, 4, 7, before);
  v1::WorkerTotals after;
  AddWork(v1::WORK_KIND_WEIGHTS, 14, 1300, after);  // 4 x 0.5 + 300 x 0.01
  AddWork(v1::WORK_KIND_KV, 2, 50, after);          // 2 x 0.25 + 50 x 0.02
  AddWork(v1::WORK_KIND_REBUILD, 6, 11, after);     // 2 x 1 + 4 x 0.5
  AddWork(v1::WORK_KIND_HEAD, 8, 80, after);        // 8 x 0.125
  AddWork(v1::WORK_KIND_WRITE_BACK, 3, 12, after);  // 12 x 0.25
  const std::optional<StreamSeconds> ideal = Ideal(profile, before, after);
  ASSERT_TRUE(ideal.has_value());
  EXPECT_DOUBLE_EQ(ideal->copy_in, 6.5);
  EXPECT_DOUBLE_EQ(ideal->compute, 5);
  EXPECT_DOUBLE_EQ(ideal->copy_out, 3);
  EXPECT_DOUBLE_EQ(ideal->Longest(), 6.5);
}

TEST(IdealSecondsTest, IsUnknownWithoutCosts) {
  v1::WorkerTotals after;
  AddWork(v1::WORK_KIND_WEIGHTS, 1, 1, after);
  EXPECT_FALSE(
      Ideal(v1::WorkerProfile(), v1::WorkerTotals(), after).has_value());
}

TEST(IdealSecondsTest, IsUnknownWhereACostIsMissingForWorkThatWasDone) {
  v1::WorkerProfile profile;
  AddCost(v1::WORK_KIND_WEIGHTS, 1, 0, profile);
  v1::WorkerTotals after;
  AddWork(v1::WORK_KIND_WEIGHTS, 1, 1, after);
  AddWork(v1::WORK_KIND_ATTENTION, 5, 10, after);
  EXPECT_FALSE(Ideal(profile, v1::WorkerTotals(), after).has_value());
  // No more of it than before.
  v1::WorkerTotals before;
  AddWork(v1::WORK_KIND_ATTENTION, 5, 10, before);
  EXPECT_TRUE(Ideal(profile, before, after).has_value());
}

TEST(MeanCostsTest, AveragesEachKind) {
  std::vector<v1::WorkerProfile> profiles(2);
  AddCost(v1::WORK_KIND_WEIGHTS, 0.5, 4, profiles[0]);
  AddCost(v1::WORK_KIND_KV, 1, 2, profiles[0]);
  AddCost(v1::WORK_KIND_KV, 2, 2, profiles[1]);
  AddCost(v1::WORK_KIND_WEIGHTS, 0.25, 8, profiles[1]);
  const v1::WorkerProfile mean = MeanCosts(profiles);
  ASSERT_EQ(mean.costs_size(), 2);
  EXPECT_EQ(mean.costs(0).kind(), v1::WORK_KIND_WEIGHTS);
  EXPECT_DOUBLE_EQ(mean.costs(0).fixed_seconds(), 0.375);
  EXPECT_DOUBLE_EQ(mean.costs(0).seconds_per_unit(), 6);
  EXPECT_DOUBLE_EQ(mean.costs(1).fixed_seconds(), 1.5);
}

TEST(MeanCostsTest, IsEmptyWhereOneKnowsLess) {
  std::vector<v1::WorkerProfile> profiles(2);
  AddCost(v1::WORK_KIND_WEIGHTS, 0.5, 4, profiles[0]);
  EXPECT_EQ(MeanCosts(profiles).costs_size(), 0);
  EXPECT_EQ(MeanCosts({}).costs_size(), 0);
}

TEST(IdealSecondsTest, SmallWorkIsFreeWithoutACost) {
  v1::WorkerProfile profile;
  AddCost(v1::WORK_KIND_FORWARD, 2, 0, profile);
  v1::WorkerTotals after;
  AddWork(v1::WORK_KIND_FORWARD, 1, 9, after);
  AddWork(v1::WORK_KIND_INPUTS, 1, 100, after);
  AddWork(v1::WORK_KIND_RESULTS, 1, 4, after);
  const std::optional<StreamSeconds> ideal =
      Ideal(profile, v1::WorkerTotals(), after);
  ASSERT_TRUE(ideal.has_value());
  EXPECT_DOUBLE_EQ(ideal->Longest(), 2);
}

}  // namespace
}  // namespace hybridserve
