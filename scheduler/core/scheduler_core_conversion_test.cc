#include <memory>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/testing/converting_policy.h"
#include "scheduler/core/testing/core_harness.h"

// ACT that becomes KV while sequences run. FakeWorker checks that each plan
// converts whole ACT blocks into half-slots of nobody's; here: whose they are
// whatever comes after.

namespace hybridserve {
namespace {

using Record = std::shared_ptr<RequestRecord>;

class ConversionTest : public testing::Test {
 protected:
  // Rebuilding takes far longer than loading.
  void Connect(int32_t device_half_slots, int32_t host_half_slots) {
    id_ = harness_
              .AddWorker({.device_half_slots = device_half_slots,
                          .host_half_slots = host_half_slots,
                          .gemm_flops_per_second = 2e5})
              .value();
  }

  // Steps until a plan converts something.
  void StepUntilConverting() {
    for (int step = 0; converted() == 0; ++step) {
      ASSERT_LT(step, 60);
      harness_.Step(id_);
    }
    ASSERT_FALSE(worker().last_plan().conversions.empty());
  }

  FakeWorker& worker() { return harness_.worker(id_); }
  int64_t converted() { return worker().num_converted(); }
  WorkerSnapshot Snapshot() { return harness_.core().Snapshot().workers[0]; }
  int64_t SumBlocks(int64_t PoolSnapshot::*count) {
    int64_t sum = 0;
    for (const PoolSnapshot& pool : Snapshot().pools) sum += pool.*count;
    return sum;
  }
  void ExpectTokens(const GenerationRequest& request, const Record& record) {
    EXPECT_EQ(record->tokens,
              ExpectedTokens(request, worker().info().numerics));
  }

  // A request starts only if it fits at its longest.
  CoreHarness harness_{{.expected_output = 1},
                       std::make_unique<ConvertingPolicy>()};
  WorkerId id_;
};

TEST_F(ConversionTest, BlocksCountAsWhatTheyBecame) {
  Connect(/*device_half_slots=*/8, /*host_half_slots=*/120);
  std::vector<GenerationRequest> requests;
  std::vector<Record> records;
  for (int32_t i = 0; i < 3; ++i) {
    requests.push_back(MakeRequest(10, 40, i));
    records.push_back(harness_.Submit(requests.back()));
  }
  StepUntilConverting();
  const int64_t act = SumBlocks(&PoolSnapshot::act_blocks);
  const int64_t kv = SumBlocks(&PoolSnapshot::kv_blocks);
  EXPECT_EQ(SumBlocks(&PoolSnapshot::free) + act + 2 * kv, 128);
  EXPECT_EQ(Snapshot().totals.converted_blocks, converted());
  harness_.RunUntilQuiet();
  EXPECT_EQ(Snapshot().totals.converted_blocks, converted());
  EXPECT_GT(converted(), 3);
  for (size_t i = 0; i < records.size(); ++i) {
    ExpectTokens(requests[i], records[i]);
  }
  ExpectAtRest(harness_);
}

TEST_F(ConversionTest, ACancelledSequenceGivesBackWhatItHasNow) {
  Connect(8, 120);
  const GenerationRequest request = MakeRequest(16, 40);
  harness_.Submit(request);
  const RequestKey key = *harness_.last_submit();
  StepUntilConverting();  // That plan has not run yet.
  EXPECT_TRUE(harness_.core().Cancel(key));
  harness_.core().CheckInvariants();
  harness_.RunUntilQuiet();
  ExpectAtRest(harness_);
}

TEST_F(ConversionTest, AWorkerLostOnTheWayChangesNoToken) {
  Connect(8, 120);
  const GenerationRequest request = MakeRequest(16, 40);
  const Record record = harness_.Submit(request);
  StepUntilConverting();
  harness_.core().RemoveWorker(id_, absl::UnavailableError("killed"));
  ASSERT_THAT(harness_.AddWorker({.epoch = 2}), IsOk());
  harness_.RunUntilQuiet();
  EXPECT_EQ(record->tokens,
            ExpectedTokens(request, FakeWorkerInfo({}).numerics));
}

// 14 blocks, at most 28 half-slots: with so many, and the two that may be odd,
// nothing is left to grow into but what is needed anyway.
TEST_F(ConversionTest, OnlySpareSlotsAreTaken) {
  Connect(0, 19);
  harness_.Submit(MakeRequest(16, 40));
  harness_.RunUntilQuiet();
  EXPECT_EQ(converted(), 0);  // 14 blocks, 11 of them ACT: 17 half-slots.
  ExpectAtRest(harness_);

  Connect(0, 22);
  harness_.core().RemoveWorker(WorkerId(1), absl::UnavailableError("killed"));
  harness_.Submit(MakeRequest(16, 40));
  harness_.RunUntilQuiet();
  EXPECT_EQ(converted(), 3);
  ExpectAtRest(harness_);
}

TEST_F(ConversionTest, NobodyWaitsForIt) {
  Connect(0, 44);
  // Room for the first two; the third waits until one of them has ended.
  for (int32_t i = 0; i < 3; ++i) harness_.Submit(MakeRequest(16, 40, i));
  ASSERT_EQ(harness_.core().Snapshot().waiting, 1);
  const int64_t before = converted();
  while (harness_.core().Snapshot().waiting > 0) {
    harness_.Step(id_);
    if (harness_.core().Snapshot().waiting > 0) {
      EXPECT_EQ(converted(), before);
    }
  }
  harness_.RunUntilQuiet();
  EXPECT_GT(converted(), before);
  ExpectAtRest(harness_);
}

}  // namespace
}  // namespace hybridserve
