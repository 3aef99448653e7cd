#include "client/bench/step_figures.h"

#include <cstdint>
#include <optional>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

v1::Worker WorkerAfter(uint64_t steps) {
  v1::Worker worker;
  worker.set_id(3);
  worker.set_epoch(7);
  v1::WorkerTotals& totals = *worker.mutable_totals();
  totals.set_steps(steps);
  totals.set_wall_seconds(2.0 * static_cast<double>(steps));
  totals.set_link_busy_seconds(1.5 * static_cast<double>(steps));
  totals.set_compute_busy_seconds(0.5 * static_cast<double>(steps));
  totals.set_weight_bytes(100 * steps);
  totals.set_kv_bytes(20 * steps);
  totals.set_act_bytes(10 * steps);
  totals.set_write_back_bytes(4 * steps);
  return worker;
}

TEST(FiguresBetweenTest, AreAveragesOfTheStepsBetween) {
  const std::optional<StepFigures> figures =
      FiguresBetween(WorkerAfter(10), WorkerAfter(14));
  ASSERT_TRUE(figures.has_value());
  EXPECT_EQ(figures->steps, 4);
  EXPECT_DOUBLE_EQ(figures->measured_seconds, 2);
  EXPECT_DOUBLE_EQ(figures->link_busy, 0.75);
  EXPECT_DOUBLE_EQ(figures->compute_busy, 0.25);
  EXPECT_DOUBLE_EQ(figures->weight_bytes, 100);
  EXPECT_DOUBLE_EQ(figures->kv_bytes, 20);
  EXPECT_DOUBLE_EQ(figures->act_bytes, 10);
  EXPECT_DOUBLE_EQ(figures->write_back_bytes, 4);
}

TEST(FiguresBetweenTest, LeavesUnknownWhatTheWorkerDoesNotTell) {
  const std::optional<StepFigures> figures =
      FiguresBetween(WorkerAfter(1), WorkerAfter(2));
  ASSERT_TRUE(figures.has_value());
  EXPECT_FALSE(figures->ideal_seconds.has_value());
  EXPECT_FALSE(figures->predicted_seconds.has_value());
  EXPECT_FALSE(figures->overlap_efficiency.has_value());
}

TEST(FiguresBetweenTest, ComparesIdealWithMeasured) {
  v1::Worker after = WorkerAfter(4);
  v1::WorkCost& cost = *after.mutable_profile()->add_costs();
  cost.set_kind(v1::WORK_KIND_WEIGHTS);
  cost.set_seconds_per_unit(0.25);
  v1::WorkTotals& work = *after.mutable_totals()->add_work();
  work.set_kind(v1::WORK_KIND_WEIGHTS);
  work.set_count(2);
  work.set_units(12);
  after.set_predicted_step_seconds(1.75);
  const std::optional<StepFigures> figures =
      FiguresBetween(WorkerAfter(2), after);
  ASSERT_TRUE(figures.has_value());
  EXPECT_DOUBLE_EQ(figures->ideal_seconds.value(), 1.5);
  EXPECT_DOUBLE_EQ(figures->overlap_efficiency.value(), 0.75);
  EXPECT_DOUBLE_EQ(figures->predicted_seconds.value(), 1.75);
}

TEST(SetIdealTest, ReplacesTheWorkersOwnCosts) {
  v1::Worker after = WorkerAfter(4);
  v1::WorkTotals& work = *after.mutable_totals()->add_work();
  work.set_kind(v1::WORK_KIND_WEIGHTS);
  work.set_count(2);
  work.set_units(12);
  std::optional<StepFigures> figures = FiguresBetween(WorkerAfter(2), after);
  ASSERT_TRUE(figures.has_value());
  EXPECT_FALSE(figures->ideal_seconds.has_value());
  v1::WorkerProfile costs;
  costs.add_costs()->set_kind(v1::WORK_KIND_WEIGHTS);
  costs.mutable_costs(0)->set_fixed_seconds(1);
  SetIdeal(costs, *figures);
  EXPECT_DOUBLE_EQ(figures->ideal_seconds.value(), 1);
  EXPECT_DOUBLE_EQ(figures->overlap_efficiency.value(), 0.5);
  SetIdeal(v1::WorkerProfile(), *figures);
  EXPECT_FALSE(figures->ideal_seconds.has_value());
  EXPECT_FALSE(figures->overlap_efficiency.has_value());
}

TEST(FiguresBetweenTest, CountsTheBlocksOfAllTiers) {
  v1::Worker after = WorkerAfter(2);
  v1::Pool& host = *after.add_pools();
  host.set_kv_blocks(6);
  host.set_act_blocks(1);
  after.add_pools()->set_act_blocks(1);
  EXPECT_DOUBLE_EQ(FiguresBetween(WorkerAfter(1), after)->act_share, 0.25);
}

TEST(FiguresBetweenTest, AreUnknownWithoutAStepOrAcrossConnections) {
  EXPECT_FALSE(FiguresBetween(WorkerAfter(2), WorkerAfter(2)).has_value());
  v1::Worker later = WorkerAfter(3);
  later.set_epoch(8);
  EXPECT_FALSE(FiguresBetween(WorkerAfter(2), later).has_value());
}

}  // namespace
}  // namespace hybridserve
