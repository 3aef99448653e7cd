#include "client/bench/run_costs.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

// Of a worker whose copies of weights cost `seconds` each; 0: it makes none.
PassResult Pass(double seconds) {
  PassResult pass;
  StepFigures figures = {.steps = 1, .measured_seconds = 1};
  if (seconds > 0) {
    v1::WorkCost& cost = *pass.worker.mutable_profile()->add_costs();
    cost.set_kind(v1::WORK_KIND_WEIGHTS);
    cost.set_fixed_seconds(seconds);
    v1::WorkTotals& work = *figures.end.add_work();
    work.set_kind(v1::WORK_KIND_WEIGHTS);
    work.set_count(1);
  } else {
    pass.worker.mutable_profile()->add_costs()->set_kind(v1::WORK_KIND_HEAD);
  }
  pass.decode = figures;
  return pass;
}

BenchResult Result(int64_t worker_setting, std::vector<PassResult> passes) {
  return {.worker_setting = worker_setting, .passes = std::move(passes)};
}

double Ideal(const BenchResult& result, size_t pass) {
  return result.passes[pass].decode->ideal_seconds.value();
}

TEST(SetIdealsOfTheRunTest, TakesTheMeanOverPoliciesWithTheSameWorker) {
  const std::vector<PassResult> warm_ups = {Pass(1), Pass(2)};
  std::vector<BenchResult> results = {Result(0, {Pass(3), Pass(4)}),
                                      Result(0, {Pass(5)})};
  SetIdealsOfTheRun(warm_ups, results);
  EXPECT_DOUBLE_EQ(Ideal(results[0], 0), 3);
  EXPECT_DOUBLE_EQ(Ideal(results[0], 1), 3);
  EXPECT_DOUBLE_EQ(Ideal(results[1], 0), 3);
}

TEST(SetIdealsOfTheRunTest, KeepsWorkersInOtherSettingsApart) {
  const std::vector<PassResult> warm_ups = {Pass(0), Pass(1)};
  std::vector<BenchResult> results = {Result(0, {Pass(0)}),
                                      Result(1, {Pass(2)})};
  SetIdealsOfTheRun(warm_ups, results);
  EXPECT_DOUBLE_EQ(Ideal(results[0], 0), 0);
  EXPECT_DOUBLE_EQ(Ideal(results[1], 0), 1.5);
}

}  // namespace
}  // namespace hybridserve
