#include <cstdint>
#include <memory>
#include <optional>

#include "gtest/gtest.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/testing/core_harness.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/testing/forwarding_policy.h"

// What policies hear of the requests that wait.

namespace hybridserve {
namespace {

// Notes what the last plan was made from.
class NotingPolicy final : public ForwardingPolicy {
 public:
  explicit NotingPolicy(int64_t& waiting)
      : ForwardingPolicy(ParsePolicy("kv", std::nullopt).value()),
        waiting_(waiting) {}

  StepRoster Plan(const StepSnapshot& snapshot,
                  const CacheMix& mix) const override {
    waiting_ = snapshot.waiting;
    return ForwardingPolicy::Plan(snapshot, mix);
  }

 private:
  int64_t& waiting_;
};

class WaitingTest : public testing::Test {
 protected:
  // A step of a worker for two of `count` requests.
  void StepWith(int32_t count) {
    for (int32_t i = 0; i < count; ++i) harness_.Submit(MakeRequest(8, 20, i));
    harness_.Step(id_);
  }

  int64_t waiting_ = -1;
  CoreHarness harness_{{.max_running = 2},
                       std::make_unique<NotingPolicy>(waiting_)};
  const WorkerId id_ = harness_.AddWorker().value();
};

TEST_F(WaitingTest, NobodyWhoFindsAPlace) {
  StepWith(2);
  EXPECT_EQ(waiting_, 0);
}

TEST_F(WaitingTest, ThoseWhoFindNone) {
  StepWith(5);
  EXPECT_EQ(waiting_, 3);
}

TEST_F(WaitingTest, NoLongerThoseWhoLeft) {
  StepWith(3);
  EXPECT_EQ(waiting_, 1);
  harness_.core().Cancel(harness_.last_submit().value());
  harness_.Step(id_);
  EXPECT_EQ(waiting_, 0);
}

TEST_F(WaitingTest, NobodyForAWorkerThatDrains) {
  StepWith(3);
  EXPECT_EQ(waiting_, 1);
  harness_.core().DrainWorker(id_);
  harness_.Step(id_);
  EXPECT_EQ(waiting_, 0);
}

}  // namespace
}  // namespace hybridserve
