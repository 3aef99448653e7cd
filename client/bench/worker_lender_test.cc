#include "client/bench/worker_lender.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

// Gives a result for every plan, at once.
class FakeWorker final : public Worker {
 public:
  struct Calls {
    int starts = 0;
    int stops = 0;
    int measurements = 0;
    std::vector<uint64_t> resets;
  };

  explicit FakeWorker(Calls& calls) : calls_(calls) {}

  const WorkerInfo& info() const override { return info_; }
  const MemoryPlan& memory_plan() const override { return plan_; }
  int64_t unpinned_bytes() const override { return 0; }
  absl::Status Measure() override {
    ++calls_.measurements;
    return absl::OkStatus();
  }
  void Start(ResultCallback on_result) override {
    ++calls_.starts;
    on_result_ = std::move(on_result);
  }
  void Submit(StepPlan plan) override { on_result_({.fence = plan.fence}); }
  void Reset(uint64_t epoch) override { calls_.resets.push_back(epoch); }
  void Stop() override { ++calls_.stops; }

 private:
  Calls& calls_;
  WorkerInfo info_;
  MemoryPlan plan_;
  ResultCallback on_result_;
};

StepPlan PlanOf(uint64_t step) {
  StepPlan plan;
  plan.fence.step = step;
  return plan;
}

TEST(WorkerLenderTest, LendsOneWorkerToOneAfterTheOther) {
  FakeWorker::Calls calls;
  {
    WorkerLender lender(std::make_unique<FakeWorker>(calls));
    for (uint64_t epoch : {1, 2, 3}) {
      const std::unique_ptr<Worker> lent = lender.Lend();
      std::vector<uint64_t> steps;
      lent->Start([&](const StepResult& result) {
        steps.push_back(result.fence.step);
      });
      lent->Reset(epoch);
      lent->Submit(PlanOf(10 + epoch));
      EXPECT_EQ(steps, std::vector<uint64_t>{10 + epoch});
      lent->Stop();
      lent->Submit(PlanOf(99));  // Nobody hears of it.
      EXPECT_EQ(steps.size(), 1);
      EXPECT_THAT(lender.Measure(), IsOk());  // Nobody has it.
    }
    EXPECT_EQ(calls.measurements, 3);
    EXPECT_EQ(calls.starts, 1);
    EXPECT_EQ(calls.stops, 0);
    EXPECT_EQ(calls.resets, (std::vector<uint64_t>{1, 2, 3}));
  }
  EXPECT_EQ(calls.stops, 1);
}

TEST(WorkerLenderTest, WhatIsGoneHearsNothing) {
  FakeWorker::Calls calls;
  WorkerLender lender(std::make_unique<FakeWorker>(calls));
  int results = 0;
  lender.Lend()->Start([&](const StepResult&) { ++results; });
  const std::unique_ptr<Worker> second = lender.Lend();
  second->Submit(PlanOf(1));
  EXPECT_EQ(results, 0);
}

TEST(WorkerLenderDeathTest, LendingToTwoAtOnceIsABug) {
  FakeWorker::Calls calls;
  WorkerLender lender(std::make_unique<FakeWorker>(calls));
  const std::unique_ptr<Worker> first = lender.Lend();
  const std::unique_ptr<Worker> second = lender.Lend();
  first->Start([](const StepResult&) {});
  EXPECT_DEATH(second->Start([](const StepResult&) {}), "lent already");
  EXPECT_DEATH(lender.Measure().IgnoreError(), "lent");
}

}  // namespace
}  // namespace hybridserve
