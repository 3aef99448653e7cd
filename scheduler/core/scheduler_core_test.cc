#include "scheduler/core/scheduler_core.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/core/testing/core_harness.h"

namespace hybridserve {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::Optional;
using Record = std::shared_ptr<RequestRecord>;

// Rows of the sequences in a plan.
std::vector<int32_t> Rows(const StepPlan& plan) {
  std::vector<int32_t> rows;
  for (const StepSequence& step : plan.sequences) rows.push_back(step.num_new);
  return rows;
}

TEST(SchedulerCoreTest, GeneratesTokensAndGivesEverythingBack) {
  CoreHarness harness;
  const WorkerId id = harness.AddWorker().value();
  const NumericsClass numerics = harness.worker(id).info().numerics;
  EXPECT_EQ(harness.worker(id).outstanding(), 0);  // Idle: no plans.
  GenerationRequest request = MakeRequest(10, 5);
  request.sampling.want_log_prob = true;
  request.sampling.top_log_probs = 2;
  const Record record = harness.Submit(request);
  ASSERT_THAT(harness.last_submit(), IsOk());
  EXPECT_THAT(record->queue_position, Optional(0));

  // The prompt, and the token after it before the first result.
  EXPECT_EQ(harness.worker(id).num_plans(), 2);
  EXPECT_THAT(harness.worker(id).last_plan().sequences[0].new_tokens,
              ElementsAre());
  harness.clock().Advance(absl::Seconds(1));
  harness.Step(id);
  EXPECT_EQ(record->tokens.size(), 1U);
  harness.clock().Advance(absl::Seconds(1));
  harness.RunUntilQuiet();

  EXPECT_EQ(record->tokens, ExpectedTokens(request, numerics));
  EXPECT_EQ(record->log_probs[0],
            FakeLogProb(request.prompt, record->tokens[0], numerics));
  ASSERT_EQ(record->top[4].size(), 2U);
  EXPECT_EQ(record->top[4][0].token, record->tokens[4]);
  EXPECT_THAT(record->finished, Optional(FinishReason::kLength));
  EXPECT_EQ(record->usage.prompt_tokens, 10);
  EXPECT_EQ(record->usage.completion_tokens, 5);
  EXPECT_EQ(record->usage.queue_time, absl::ZeroDuration());
  EXPECT_EQ(record->usage.first_token_time, absl::Seconds(1));
  EXPECT_EQ(record->usage.total_time, absl::Seconds(2));
  // Five tokens take five steps; then the release, which runs nothing.
  EXPECT_EQ(harness.worker(id).num_plans(), 6);
  EXPECT_TRUE(harness.worker(id).last_plan().sequences.empty());
  EXPECT_EQ(harness.worker(id).last_plan().released.size(), 1U);
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, AStopIsCorrectedOneStepLateAndNeverShown) {
  CoreHarness harness;
  const WorkerId id = harness.AddWorker().value();
  const NumericsClass numerics = harness.worker(id).info().numerics;
  GenerationRequest request = MakeRequest(6, 40);
  const std::vector<int32_t> all = ExpectedTokens(request, numerics);
  // The first token that is new at its place.
  int64_t stop = 4;
  const auto seen_before = [&all](int64_t i) {
    return std::find(all.begin(), all.begin() + i, all[i]) != all.begin() + i;
  };
  while (seen_before(stop)) ++stop;
  request.stop_token_ids = {all[stop]};
  const Record record = harness.Submit(request);
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens,
            std::vector<int32_t>(all.begin(), all.begin() + stop + 1));
  EXPECT_THAT(record->finished, Optional(FinishReason::kStop));
  // One step ran for nothing before the release.
  EXPECT_EQ(harness.worker(id).num_plans(), stop + 3);
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, TheModelsEosEndsUnlessIgnored) {
  CoreHarness harness;
  const WorkerId id = harness.AddWorker().value();
  const NumericsClass numerics = harness.worker(id).info().numerics;
  int ended = 0;
  for (int32_t salt = 0; salt < 30; ++salt) {
    GenerationRequest request = MakeRequest(3, 50, salt);
    request.ignore_eos = false;
    request.min_tokens = salt % 2 == 0 ? 0 : 10;
    const Record record = harness.Submit(request);
    harness.RunUntilQuiet();
    EXPECT_EQ(record->tokens, ExpectedTokens(request, numerics));
    ended += record->finished == FinishReason::kStop;
  }
  EXPECT_GT(ended, 3);
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, AnObserverMayEndIt) {
  CoreHarness harness;
  ASSERT_THAT(harness.AddWorker(), IsOk());
  const Record record = harness.Submit(MakeRequest(3, 50), /*stop_after=*/7);
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens.size(), 7U);
  EXPECT_THAT(record->finished, Optional(FinishReason::kStop));
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, LongPromptsRunInChunksMixedWithDecoding) {
  SchedulerOptions options;
  options.prefill_chunk_tokens = 8;
  CoreHarness harness(options);
  const WorkerId id = harness.AddWorker().value();
  const NumericsClass numerics = harness.worker(id).info().numerics;
  const GenerationRequest shorter = MakeRequest(5, 12, 1);
  const GenerationRequest longer = MakeRequest(20, 4, 2);
  const Record first = harness.Submit(shorter);
  EXPECT_THAT(Rows(harness.worker(id).last_plan()), ElementsAre(1));
  const Record second = harness.Submit(longer);
  for (const int chunk : {8, 8, 4, 1}) {
    harness.Step(id);
    EXPECT_THAT(Rows(harness.worker(id).last_plan()), ElementsAre(1, chunk));
  }
  harness.RunUntilQuiet();
  EXPECT_EQ(first->tokens, ExpectedTokens(shorter, numerics));
  EXPECT_EQ(second->tokens, ExpectedTokens(longer, numerics));
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, ScoresAPromptInChunks) {
  SchedulerOptions options;
  options.prefill_chunk_tokens = 8;
  CoreHarness harness(options);
  const WorkerId id = harness.AddWorker().value();
  const NumericsClass numerics = harness.worker(id).info().numerics;
  GenerationRequest request = MakeRequest(20, 1);
  // The next token each; nothing for the first two and the last four, so a
  // whole chunk has none.
  request.score_targets.assign(20, -1);
  std::vector<TokenScore> expected;
  for (size_t i = 2; i < 16; ++i) {
    request.score_targets[i] = request.prompt[i + 1];
    expected.push_back(
        FakeScore(absl::MakeConstSpan(request.prompt).subspan(0, i + 1),
                  request.prompt[i + 1], numerics));
  }
  const Record record = harness.Submit(request);
  harness.RunUntilQuiet();
  EXPECT_THAT(record->scores, Optional(expected));
  EXPECT_TRUE(record->tokens.empty());
  EXPECT_THAT(record->finished, Optional(FinishReason::kStop));
  EXPECT_EQ(harness.worker(id).num_plans(), 4);  // Three chunks, a release.
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, ACancelledRequestLeavesWithTheNextPlan) {
  CoreHarness harness;
  const WorkerId id = harness.AddWorker().value();
  const Record running = harness.Submit(MakeRequest(10, 30));
  const RequestKey key = *harness.last_submit();
  harness.Step(id);
  EXPECT_EQ(harness.worker(id).outstanding(), 2);
  EXPECT_TRUE(harness.core().Cancel(key));
  EXPECT_THAT(running->finished, Optional(FinishReason::kCancelled));
  EXPECT_EQ(running->usage.completion_tokens, 1);
  EXPECT_FALSE(harness.core().Cancel(key));
  const int64_t plans = harness.worker(id).num_plans();
  harness.Step(id);
  EXPECT_EQ(harness.worker(id).num_plans(), plans + 1);
  EXPECT_EQ(harness.worker(id).last_plan().released.size(), 1U);
  harness.RunUntilQuiet();
  EXPECT_EQ(running->tokens.size(), 1U);
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, CancelsByIdInTheQueueToo) {
  SchedulerOptions options;
  options.max_running = 1;
  CoreHarness harness(options);
  ASSERT_THAT(harness.AddWorker(), IsOk());
  const Record running = harness.Submit(MakeRequest(4, 4));
  GenerationRequest request = MakeRequest(4, 4);
  request.request_id = "name";
  const Record waiting = harness.Submit(request);
  EXPECT_FALSE(harness.core().CancelById("other"));
  EXPECT_FALSE(harness.core().CancelById(""));
  EXPECT_TRUE(harness.core().CancelById("name"));
  EXPECT_THAT(waiting->finished, Optional(FinishReason::kCancelled));
  EXPECT_EQ(waiting->usage.queue_time, absl::InfiniteDuration());
  harness.RunUntilQuiet();
  EXPECT_EQ(running->tokens.size(), 4U);
  EXPECT_EQ(harness.core().Snapshot().counts.cancelled, 1);
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, DeadlinesEndRunningAndWaitingRequests) {
  SchedulerOptions options;
  options.max_running = 1;
  CoreHarness harness(options);
  const WorkerId id = harness.AddWorker().value();
  EXPECT_EQ(harness.core().NextTick(), absl::InfiniteFuture());
  GenerationRequest request = MakeRequest(4, 50);
  request.deadline = harness.clock().Now() + absl::Seconds(10);
  const Record running = harness.Submit(request);
  request.deadline = harness.clock().Now() + absl::Seconds(5);
  const Record waiting = harness.Submit(request);
  EXPECT_EQ(harness.core().NextTick(), request.deadline);
  harness.Step(id);
  harness.clock().Advance(absl::Seconds(5));
  harness.core().Tick();
  EXPECT_FALSE(running->ended());
  ASSERT_TRUE(waiting->error.has_value());
  EXPECT_THAT(*waiting->error, StatusIs(StatusCode::kDeadlineExceeded));
  harness.clock().Advance(absl::Seconds(5));
  harness.core().Tick();
  ASSERT_TRUE(running->error.has_value());
  EXPECT_THAT(*running->error,
              StatusIs(StatusCode::kDeadlineExceeded, "after 1 tokens"));
  EXPECT_EQ(harness.core().NextTick(), absl::InfiniteFuture());
  harness.RunUntilQuiet();
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, SnapshotTellsWhatAWorkerDid) {
  CoreHarness harness;
  const WorkerId id = harness.AddWorker().value();
  harness.Submit(MakeRequest(10, 5));
  harness.Step(id);
  WorkerSnapshot worker = harness.core().Snapshot().workers[0];
  EXPECT_EQ(worker.state, "running");
  EXPECT_EQ(worker.term, 1U);
  EXPECT_EQ(worker.epoch, 1U);
  EXPECT_EQ(worker.act_ratio, 0.37);
  ASSERT_EQ(worker.pools.size(), 2U);
  // Four blocks, the third ACT; the device takes seven of its eight halves.
  EXPECT_EQ(worker.pools[0].tier, Tier::kDevice);
  EXPECT_EQ(worker.pools[0].free, 1);
  EXPECT_EQ(worker.pools[0].kv_blocks, 3);
  EXPECT_EQ(worker.pools[0].act_blocks, 1);
  harness.RunUntilQuiet();
  worker = harness.core().Snapshot().workers[0];
  EXPECT_EQ(worker.state, "idle");
  EXPECT_EQ(worker.totals.steps, 6);
  EXPECT_EQ(worker.totals.prompt_tokens, 10);
  EXPECT_EQ(worker.totals.generated_tokens, 5);
  EXPECT_EQ(worker.pools[0].peak_kv_blocks, 3);
  EXPECT_EQ(worker.pools[0].peak_act_blocks, 1);
  EXPECT_EQ(worker.totals.stats.wall, absl::Milliseconds(6));
  EXPECT_EQ(worker.totals.stats.weight_bytes, 6 * 8'000);
  EXPECT_EQ(harness.core().Snapshot().counts.finished, 1);
}

TEST(SchedulerCoreTest, ShutdownEndsEveryRequest) {
  Record running;
  {
    CoreHarness harness;
    ASSERT_THAT(harness.AddWorker(), IsOk());
    running = harness.Submit(MakeRequest(10, 5));
  }
  ASSERT_TRUE(running->error.has_value());
  EXPECT_THAT(*running->error,
              StatusIs(StatusCode::kUnavailable, "shuts down"));
}

}  // namespace
}  // namespace hybridserve
