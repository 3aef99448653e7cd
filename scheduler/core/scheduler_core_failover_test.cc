#include <memory>
#include <utility>
#include <vector>

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/testing/core_harness.h"

// What happens to requests when workers go away or misbehave.

namespace hybridserve {
namespace {

using absl::StatusCode;
using ::testing::Optional;
using Record = std::shared_ptr<RequestRecord>;

const absl::Status kGone = absl::UnavailableError("gone");

TEST(FailoverTest, AReplayGoesOnWithTheSameTokens) {
  CoreHarness harness;
  const WorkerId a = harness.AddWorker().value();
  const NumericsClass numerics = harness.worker(a).info().numerics;
  std::vector<GenerationRequest> requests;
  std::vector<Record> records;
  for (int32_t i = 0; i < 3; ++i) {
    requests.push_back(MakeRequest(5 + i, 20, i));
    records.push_back(harness.Submit(requests.back()));
  }
  for (int i = 0; i < 7; ++i) harness.Step(a);
  const size_t shown = records[0]->tokens.size();
  EXPECT_GT(shown, 2U);
  const WorkerId b = harness.AddWorker({.epoch = 2}).value();
  harness.core().RemoveWorker(a, kGone);
  EXPECT_FALSE(harness.worker(a).connected());
  EXPECT_EQ(records[0]->resumed, 1);
  EXPECT_EQ(harness.core().Snapshot().workers.size(), 1U);
  EXPECT_EQ(harness.worker(b).num_sequences(), 3);
  harness.RunUntilQuiet();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(records[i]->tokens, ExpectedTokens(requests[i], numerics));
    EXPECT_THAT(records[i]->finished, Optional(FinishReason::kLength));
    EXPECT_EQ(records[i]->usage.replays, 1);
  }
  EXPECT_EQ(harness.core().Snapshot().counts.replays, 3);
  EXPECT_EQ(harness.worker(b).num_used_half_slots(), 0);
}

TEST(FailoverTest, AScoreStartsOver) {
  SchedulerOptions options;
  options.prefill_chunk_tokens = 4;
  CoreHarness harness(options);
  const WorkerId a = harness.AddWorker().value();
  GenerationRequest request = MakeRequest(12, 1);
  request.score_targets.assign(12, 5);
  const Record record = harness.Submit(request);
  harness.Step(a);
  harness.Step(a);
  harness.core().RemoveWorker(a, kGone);
  // Nothing was shown, so any numerics class will do.
  ASSERT_THAT(harness.AddWorker({.build_id = "other", .epoch = 2}), IsOk());
  harness.RunUntilQuiet();
  ASSERT_TRUE(record->scores.has_value());
  EXPECT_EQ(record->scores->size(), 12U);
}

TEST(FailoverTest, ReplaysComeFirstAndInOrder) {
  SchedulerOptions options;
  options.max_running = 2;
  CoreHarness harness(options);
  const WorkerId a = harness.AddWorker().value();
  std::vector<Record> records;
  records.reserve(4);
  for (int32_t i = 0; i < 4; ++i) {
    records.push_back(harness.Submit(MakeRequest(4, 10, i)));
  }
  harness.Step(a);
  harness.core().RemoveWorker(a, kGone);
  EXPECT_EQ(harness.core().Snapshot().waiting, 4);
  ASSERT_THAT(harness.AddWorker({.epoch = 2}), IsOk());
  EXPECT_EQ(records[0]->resumed, 1);
  EXPECT_EQ(records[1]->resumed, 1);
  EXPECT_EQ(harness.core().Snapshot().running, 2);
  harness.RunUntilQuiet();
  for (const Record& record : records) EXPECT_EQ(record->tokens.size(), 10U);
}

TEST(FailoverTest, AnotherNumericsClassHelpsOnlyThoseWithoutTokens) {
  SchedulerOptions options;
  options.max_running = 1;
  options.failover_timeout = absl::Seconds(60);
  CoreHarness harness(options);
  const WorkerId a = harness.AddWorker().value();
  const Record begun = harness.Submit(MakeRequest(4, 10));
  const Record waiting = harness.Submit(MakeRequest(4, 10, 1));
  harness.Step(a);
  harness.core().RemoveWorker(a, kGone);
  harness.clock().Advance(absl::Seconds(59));
  harness.core().Tick();
  ASSERT_THAT(harness.AddWorker({.build_id = "other", .epoch = 2}), IsOk());
  harness.RunUntilQuiet();
  EXPECT_THAT(waiting->finished, Optional(FinishReason::kLength));
  EXPECT_FALSE(begun->ended());
  EXPECT_EQ(harness.core().NextTick(),
            harness.clock().Now() + absl::Seconds(1));
  harness.clock().Advance(absl::Seconds(1));
  harness.core().Tick();
  ASSERT_TRUE(begun->error.has_value());
  EXPECT_THAT(*begun->error, StatusIs(StatusCode::kAborted));
  EXPECT_EQ(begun->tokens.size(), 1U);
}

TEST(FailoverTest, AReturningWorkerStopsTheTimeout) {
  CoreHarness harness;
  const WorkerId a = harness.AddWorker().value();
  const GenerationRequest request = MakeRequest(4, 10);
  const NumericsClass numerics = harness.worker(a).info().numerics;
  const Record record = harness.Submit(request);
  harness.Step(a);
  harness.core().RemoveWorker(a, kGone);
  harness.clock().Advance(absl::Seconds(59));
  ASSERT_THAT(harness.AddWorker({.epoch = 2}), IsOk());
  EXPECT_EQ(harness.core().NextTick(), absl::InfiniteFuture());
  harness.clock().Advance(absl::Seconds(100));
  harness.core().Tick();
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens, ExpectedTokens(request, numerics));
}

TEST(FailoverTest, RequestsWithoutAWorkerEndUnavailable) {
  CoreHarness harness;
  const WorkerId a = harness.AddWorker().value();
  harness.core().RemoveWorker(a, kGone);
  const Record record = harness.Submit(MakeRequest(4, 10));
  ASSERT_THAT(harness.last_submit(), IsOk());
  harness.clock().Advance(absl::Seconds(60));
  harness.core().Tick();
  ASSERT_TRUE(record->error.has_value());
  EXPECT_THAT(*record->error, StatusIs(StatusCode::kUnavailable));
  EXPECT_TRUE(RetryDelayOf(*record->error).has_value());
}

TEST(FailoverTest, ARefusedPlanLosesTheWorker) {
  for (const absl::Status& status :
       {absl::FailedPreconditionError("table hash"),
        absl::InternalError("device")}) {
    CoreHarness harness;
    const WorkerId a = harness.AddWorker().value();
    const Record record = harness.Submit(MakeRequest(4, 10));
    harness.core().OnResult(a, harness.worker(a).FailNext(status));
    EXPECT_FALSE(harness.worker(a).connected());
    EXPECT_TRUE(harness.core().Snapshot().workers.empty());
    EXPECT_EQ(harness.core().Snapshot().waiting, 1);
    ASSERT_THAT(harness.AddWorker({.epoch = 2}), IsOk());
    harness.RunUntilQuiet();
    EXPECT_EQ(record->tokens.size(), 10U);
  }
}

TEST(FailoverTest, AMalformedResultLosesTheWorker) {
  const auto spoil = [](int how, StepResult& result) {
    switch (how) {
      case 0:
        result.sequences.clear();
        break;
      case 1:
        result.sequences[0].token = 100;
        break;
      case 2:
        result.sequences[0].token = -1;
        break;
      case 3:
        result.sequences.push_back(result.sequences[0]);
        break;
      case 4:
        result.sequences.push_back({.sequence = SequenceId(99)});
        break;
      case 5:
        result.sequences[0].scores = {{.log_prob = 1}};
        break;
    }
  };
  for (int how = 0; how < 6; ++how) {
    SCOPED_TRACE(how);
    CoreHarness harness;
    const WorkerId a = harness.AddWorker().value();
    const Record record = harness.Submit(MakeRequest(4, 10));
    StepResult result = harness.worker(a).RunNext();
    spoil(how, result);
    harness.core().OnResult(a, std::move(result));
    EXPECT_FALSE(harness.worker(a).connected());
    EXPECT_TRUE(record->tokens.empty());
    ASSERT_THAT(harness.AddWorker({.epoch = 2}), IsOk());
    harness.RunUntilQuiet();
    EXPECT_EQ(record->tokens.size(), 10U);
  }
}

TEST(FailoverTest, StaleResultsAreDropped) {
  CoreHarness harness;
  const WorkerId a = harness.AddWorker().value();
  const GenerationRequest request = MakeRequest(4, 10);
  const Record record = harness.Submit(request);
  const StepResult result = harness.worker(a).RunNext();
  for (const bool is_term : {true, false}) {
    StepResult stale = result;
    (is_term ? stale.fence.term : stale.fence.epoch) += 1;
    harness.core().OnResult(a, stale);
  }
  harness.core().OnResult(WorkerId(99), result);
  EXPECT_TRUE(record->tokens.empty());
  harness.core().OnResult(a, result);
  EXPECT_EQ(record->tokens.size(), 1U);
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens,
            ExpectedTokens(request, harness.worker(a).info().numerics));
  harness.core().RemoveWorker(WorkerId(99), kGone);
}

TEST(FailoverTest, AResultOfAnotherStepCostsTheWorker) {
  for (const bool again : {false, true}) {
    CoreHarness harness;
    const WorkerId a = harness.AddWorker().value();
    const GenerationRequest request = MakeRequest(4, 10);
    const NumericsClass numerics = harness.worker(a).info().numerics;
    const Record record = harness.Submit(request);
    StepResult result = harness.worker(a).RunNext();
    if (again) {
      harness.core().OnResult(a, result);
    } else {
      ++result.fence.step;
    }
    harness.core().OnResult(a, result);
    EXPECT_FALSE(harness.worker(a).connected());
    EXPECT_EQ(record->tokens.size(), again ? 1U : 0U);
    ASSERT_THAT(harness.AddWorker({.epoch = 2}), IsOk());
    harness.RunUntilQuiet();
    EXPECT_EQ(record->tokens, ExpectedTokens(request, numerics));
  }
}

TEST(FailoverTest, AWorkerThatHangsIsLostThoughItsHeartGoesOn) {
  SchedulerOptions options;
  options.worker_lease = absl::Seconds(10);
  options.step_timeout = absl::Seconds(60);
  CoreHarness harness(options);
  const WorkerId a = harness.AddWorker().value();
  const GenerationRequest request = MakeRequest(4, 10);
  const NumericsClass numerics = harness.worker(a).info().numerics;
  const Record record = harness.Submit(request);
  const auto pass = [&](absl::Duration time) {
    const absl::Time end = harness.clock().Now() + time;
    while (harness.clock().Now() < end) {
      harness.clock().Advance(absl::Seconds(5));
      harness.core().OnHeartbeat(a);
      harness.core().Tick();
    }
  };
  pass(absl::Seconds(55));
  harness.Step(a);  // A slow one. The next has as long.
  pass(absl::Seconds(55));
  EXPECT_TRUE(harness.worker(a).connected());
  pass(absl::Seconds(5));
  EXPECT_FALSE(harness.worker(a).connected());
  const WorkerId b = harness.AddWorker({.epoch = 2}).value();
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens, ExpectedTokens(request, numerics));
  // Who has nothing to do owes nothing.
  for (int i = 0; i < 100; ++i) {
    harness.clock().Advance(absl::Seconds(5));
    harness.core().OnHeartbeat(b);
    harness.core().Tick();
  }
  EXPECT_TRUE(harness.worker(b).connected());
}

// It gives way in a full cache, and its worker, which drains, takes nothing.
TEST(FailoverTest, ARequestThatADrainingWorkerDropsDoesNotWaitForEver) {
  SchedulerOptions options;
  options.expected_output = 0;
  CoreHarness harness(options);
  const WorkerId a = harness.AddWorker({.host_half_slots = 16}).value();
  std::vector<Record> records;
  records.reserve(4);
  for (int salt = 0; salt < 4; ++salt) {
    records.push_back(harness.Submit(MakeRequest(4, 50, salt)));
  }
  harness.Step(a);
  harness.core().DrainWorker(a);
  while (harness.worker(a).connected()) harness.Step(a);
  ASSERT_GT(harness.core().Snapshot().counts.preemptions, 0);
  EXPECT_EQ(harness.core().NextTick(),
            harness.clock().Now() + options.failover_timeout);
  harness.clock().Advance(options.failover_timeout);
  harness.core().Tick();
  for (const Record& record : records) EXPECT_TRUE(record->ended());
  EXPECT_TRUE(harness.core().idle());
}

TEST(FailoverTest, ARequestThatKillsWorkersIsAborted) {
  SchedulerOptions options;
  options.max_losses = 3;
  CoreHarness harness(options);
  WorkerId id = harness.AddWorker().value();
  const Record record = harness.Submit(MakeRequest(4, 10));
  for (uint64_t epoch = 2; epoch <= 3; ++epoch) {
    harness.core().OnResult(
        id, harness.worker(id).FailNext(absl::InternalError("poison")));
    EXPECT_FALSE(record->ended());
    id = harness.AddWorker({.epoch = epoch}).value();
  }
  harness.core().OnResult(
      id, harness.worker(id).FailNext(absl::InternalError("poison")));
  ASSERT_TRUE(record->error.has_value());
  EXPECT_THAT(*record->error, StatusIs(StatusCode::kAborted, "poison"));
  EXPECT_TRUE(harness.core().idle());
}

TEST(FailoverTest, ASilentWorkerIsLostWithItsLease) {
  SchedulerOptions options;
  options.worker_lease = absl::Seconds(10);
  CoreHarness harness(options);
  const WorkerId a = harness.AddWorker().value();
  const GenerationRequest request = MakeRequest(4, 10);
  const NumericsClass numerics = harness.worker(a).info().numerics;
  const Record record = harness.Submit(request);
  harness.clock().Advance(absl::Seconds(9));
  harness.core().OnHeartbeat(a);
  harness.clock().Advance(absl::Seconds(9));
  harness.core().Tick();
  harness.Step(a);  // A result is a sign of life as well.
  EXPECT_EQ(harness.core().NextTick(),
            harness.clock().Now() + absl::Seconds(10));
  const WorkerId b = harness.AddWorker({.epoch = 2}).value();
  harness.clock().Advance(absl::Seconds(10));
  harness.core().OnHeartbeat(b);
  harness.core().Tick();
  EXPECT_FALSE(harness.worker(a).connected());
  EXPECT_TRUE(harness.worker(b).connected());
  EXPECT_EQ(record->resumed, 1);
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens, ExpectedTokens(request, numerics));
  harness.core().OnHeartbeat(a);  // Too late: nobody.
}

TEST(FailoverTest, ASchedulerThatStoodStillBlamesNobody) {
  SchedulerOptions options;
  options.worker_lease = absl::Seconds(10);
  CoreHarness harness(options);
  const WorkerId a = harness.AddWorker().value();
  harness.clock().Advance(absl::Minutes(5));
  harness.core().Tick();
  EXPECT_TRUE(harness.worker(a).connected());
  EXPECT_EQ(harness.core().NextTick(),
            harness.clock().Now() + absl::Seconds(10));
  harness.clock().Advance(absl::Seconds(10));
  harness.core().Tick();
  EXPECT_FALSE(harness.worker(a).connected());
}

TEST(FailoverTest, ADrainingWorkerFinishesWhatItHasAndTakesNoMore) {
  CoreHarness harness;
  const WorkerId a = harness.AddWorker().value();
  const Record running = harness.Submit(MakeRequest(4, 10));
  harness.Step(a);
  harness.core().DrainWorker(a);
  const Record waiting = harness.Submit(MakeRequest(4, 10, 1));
  EXPECT_EQ(harness.core().Snapshot().workers[0].state, "draining");
  EXPECT_EQ(harness.core().Snapshot().waiting, 1);
  while (harness.worker(a).connected()) harness.Step(a);
  EXPECT_THAT(running->finished, Optional(FinishReason::kLength));
  EXPECT_EQ(running->usage.replays, 0);
  EXPECT_TRUE(harness.core().Snapshot().workers.empty());
  EXPECT_FALSE(waiting->ended());
  const WorkerId b = harness.AddWorker({.epoch = 2}).value();
  harness.RunUntilQuiet();
  EXPECT_THAT(waiting->finished, Optional(FinishReason::kLength));
  EXPECT_EQ(waiting->resumed, 0);
  // One that runs nothing may go at once.
  harness.core().DrainWorker(b);
  EXPECT_FALSE(harness.worker(b).connected());
  harness.core().DrainWorker(b);
}

TEST(FailoverTest, ADrainingWorkerThatIsLostLosesNothing) {
  CoreHarness harness;
  const WorkerId a = harness.AddWorker().value();
  const GenerationRequest request = MakeRequest(4, 10);
  const NumericsClass numerics = harness.worker(a).info().numerics;
  const Record record = harness.Submit(request);
  harness.Step(a);
  harness.core().DrainWorker(a);
  harness.core().RemoveWorker(a, kGone);
  ASSERT_THAT(harness.AddWorker({.epoch = 2}), IsOk());
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens, ExpectedTokens(request, numerics));
}

TEST(FailoverTest, AWorkerThatKeepsFailingIsSetAside) {
  SchedulerOptions options;
  options.breaker.most_failures = 3;
  CoreHarness harness(options);
  uint64_t epoch = 0;
  const auto come = [&] {
    return harness.AddWorker({.name = "flapping", .epoch = ++epoch});
  };
  for (int i = 0; i < 3; ++i) {
    harness.core().RemoveWorker(come().value(), kGone);
  }
  const absl::StatusOr<WorkerId> refused = come();
  EXPECT_THAT(refused, StatusIs(StatusCode::kUnavailable, "set aside"));
  EXPECT_THAT(harness.AddWorker({.epoch = 1}), IsOk());
  harness.clock().Advance(*RetryDelayOf(refused.status()));
  EXPECT_THAT(come(), IsOk());
}

TEST(FailoverTest, AWorkerThatServedMayComeAndGo) {
  SchedulerOptions options;
  options.breaker.most_failures = 1;
  CoreHarness harness(options);
  for (uint64_t epoch = 1; epoch < 5; ++epoch) {
    const absl::StatusOr<WorkerId> id =
        harness.AddWorker({.name = "busy", .epoch = epoch});
    ASSERT_THAT(id, IsOk());
    harness.Submit(MakeRequest(4, 20));
    harness.RunUntilQuiet();
    harness.core().RemoveWorker(*id, kGone);
  }
}

TEST(FailoverTest, ANameKeepsItsWeightsWhileRequestsWaitForThem) {
  CoreHarness harness;
  const WorkerId a = harness.AddWorker().value();
  harness.Submit(MakeRequest(4, 10));
  const RequestKey key = *harness.last_submit();
  harness.core().RemoveWorker(a, kGone);
  EXPECT_THAT(harness.AddWorker({.weights_hash = "new"}),
              StatusIs(StatusCode::kFailedPrecondition));
  harness.core().Cancel(key);
  EXPECT_THAT(harness.AddWorker({.weights_hash = "new"}), IsOk());
}

}  // namespace
}  // namespace hybridserve
