#include <cstdint>
#include <memory>
#include <optional>

#include "gtest/gtest.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/testing/core_harness.h"
#include "scheduler/policy/policy.h"

// What policies hear of the requests that wait.

namespace hybridserve {
namespace {

// Notes what the last plan was made from.
class NotingPolicy final : public Policy {
 public:
  explicit NotingPolicy(int64_t& waiting) : waiting_(waiting) {}

  absl::string_view name() const override { return policy_->name(); }
  CacheMix ChooseMix(const CostModel& costs, const Capacities& capacities,
                     const Workload& workload) const override {
    return policy_->ChooseMix(costs, capacities, workload);
  }
  double MaxActRatio(const CostModel& costs) const override {
    return policy_->MaxActRatio(costs);
  }
  StepRoster Plan(const StepSnapshot& snapshot,
                  const CacheMix& mix) const override {
    waiting_ = snapshot.waiting;
    return policy_->Plan(snapshot, mix);
  }

 private:
  const std::unique_ptr<Policy> policy_ =
      ParsePolicy("kv", std::nullopt).value();
  int64_t& waiting_;
};

class WaitingTest : public testing::Test {
 protected:
  int64_t waiting_ = -1;
  CoreHarness harness_{{.max_running = 2},
                       std::make_unique<NotingPolicy>(waiting_)};
};

TEST_F(WaitingTest, NobodyWhoFindsAPlace) {
  const WorkerId id = harness_.AddWorker().value();
  harness_.Submit(MakeRequest(8, 4, 0));
  harness_.Submit(MakeRequest(8, 4, 1));
  harness_.Step(id);
  EXPECT_EQ(waiting_, 0);
}

TEST_F(WaitingTest, ThoseWhoFindNone) {
  const WorkerId id = harness_.AddWorker().value();
  for (int32_t i = 0; i < 5; ++i) harness_.Submit(MakeRequest(8, 20, i));
  harness_.Step(id);
  EXPECT_EQ(waiting_, 3);
}

TEST_F(WaitingTest, NoLongerThoseWhoLeft) {
  const WorkerId id = harness_.AddWorker().value();
  for (int32_t i = 0; i < 2; ++i) harness_.Submit(MakeRequest(8, 20, i));
  harness_.Submit(MakeRequest(8, 20, 2));
  const RequestKey last = harness_.last_submit().value();
  harness_.Step(id);
  EXPECT_EQ(waiting_, 1);
  harness_.core().Cancel(last);
  harness_.Step(id);
  EXPECT_EQ(waiting_, 0);
}

TEST_F(WaitingTest, NobodyForAWorkerThatDrains) {
  const WorkerId id = harness_.AddWorker().value();
  for (int32_t i = 0; i < 3; ++i) harness_.Submit(MakeRequest(8, 20, i));
  harness_.Step(id);
  EXPECT_EQ(waiting_, 1);
  harness_.core().DrainWorker(id);
  harness_.Step(id);
  EXPECT_EQ(waiting_, 0);
}

}  // namespace
}  // namespace hybridserve
