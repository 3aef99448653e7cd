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

GenerationRequest Request(int64_t prompt, int64_t max_tokens,
                          int32_t salt = 0) {
  GenerationRequest request;
  request.prompt = MakePrompt(prompt, salt);
  request.max_tokens = max_tokens;
  request.ignore_eos = true;
  return request;
}

// Rows of the sequences in a plan.
std::vector<int32_t> Rows(const StepPlan& plan) {
  std::vector<int32_t> rows;
  for (const StepSequence& step : plan.sequences) rows.push_back(step.num_new);
  return rows;
}

void ExpectAtRest(CoreHarness& harness) {
  EXPECT_TRUE(harness.core().idle());
  for (const WorkerSnapshot& worker : harness.core().Snapshot().workers) {
    for (const PoolSnapshot& pool : worker.pools) {
      EXPECT_EQ(pool.free + pool.cached, pool.half_slots) << worker.id;
      EXPECT_EQ(pool.kv_blocks + pool.act_blocks, 0) << worker.id;
    }
    EXPECT_EQ(harness.worker(worker.id).num_sequences(), 0);
    EXPECT_EQ(harness.worker(worker.id).num_used_half_slots(), 0);
    EXPECT_EQ(worker.outstanding_plans, 0);
  }
}

TEST(SchedulerCoreTest, GeneratesTokensAndGivesEverythingBack) {
  CoreHarness harness;
  const WorkerId id = harness.AddWorker().value();
  const NumericsClass numerics = harness.worker(id).info().numerics;
  EXPECT_EQ(harness.worker(id).outstanding(), 0);  // Idle: no plans.
  GenerationRequest request = Request(10, 5);
  request.sampling.want_log_prob = true;
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
  GenerationRequest request = Request(6, 40);
  const std::vector<int32_t> all = ExpectedTokens(request, numerics);
  // The first token that is new at its place.
  size_t stop = 4;
  while (std::find(all.begin(), all.begin() + stop, all[stop]) !=
         all.begin() + stop) {
    ++stop;
  }
  request.stop_token_ids = {all[stop]};
  const Record record = harness.Submit(request);
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens,
            std::vector<int32_t>(all.begin(), all.begin() + stop + 1));
  EXPECT_THAT(record->finished, Optional(FinishReason::kStop));
  // One step ran for nothing before the release.
  EXPECT_EQ(harness.worker(id).num_plans(), static_cast<int64_t>(stop) + 3);
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, TheModelsEosEndsUnlessIgnored) {
  CoreHarness harness;
  const WorkerId id = harness.AddWorker().value();
  const NumericsClass numerics = harness.worker(id).info().numerics;
  int ended = 0;
  for (int32_t salt = 0; salt < 30; ++salt) {
    GenerationRequest request = Request(3, 50, salt);
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
  const Record record = harness.Submit(Request(3, 50), /*stop_after=*/7);
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
  const GenerationRequest shorter = Request(5, 12, 1);
  const GenerationRequest longer = Request(20, 4, 2);
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
  GenerationRequest request = Request(20, 1);
  // The next token each; nothing for the first two and the last four, so a
  // whole chunk has none.
  request.score_targets.assign(20, -1);
  std::vector<float> expected;
  for (size_t i = 2; i < 16; ++i) {
    request.score_targets[i] = request.prompt[i + 1];
    expected.push_back(
        FakeLogProb(absl::MakeConstSpan(request.prompt).subspan(0, i + 1),
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

TEST(SchedulerCoreTest, AFullPoolQueuesInOrder) {
  CoreHarness harness;
  const WorkerId id =
      harness.AddWorker({.device_half_slots = 0, .host_half_slots = 60})
          .value();
  std::vector<Record> records;
  // Each takes 15 blocks, 5 of them ACT: 25 half-slots. Two fit. The last
  // would fit beside them but must not overtake.
  for (int32_t i = 0; i < 4; ++i)
    records.push_back(harness.Submit(Request(50, 10, i)));
  records.push_back(harness.Submit(Request(2, 1)));
  EXPECT_THAT(records[1]->queue_position, Optional(0));
  EXPECT_THAT(records[2]->queue_position, Optional(0));
  EXPECT_THAT(records[3]->queue_position, Optional(1));
  EXPECT_THAT(records[4]->queue_position, Optional(2));
  EXPECT_EQ(harness.core().Snapshot().running, 2);
  EXPECT_EQ(harness.core().Snapshot().waiting, 3);
  while (!records[3]->ended()) {
    EXPECT_TRUE(records[4]->tokens.empty() || records[3]->ended() ||
                !records[3]->tokens.empty());
    harness.Step(id);
  }
  harness.RunUntilQuiet();
  for (const Record& record : records) {
    EXPECT_THAT(record->finished, Optional(FinishReason::kLength));
  }
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, AFullQueueRefuses) {
  SchedulerOptions options;
  options.max_running = 1;
  options.max_queue_requests = 2;
  options.max_queue_tokens = 50;
  options.retry_delay = absl::Seconds(3);
  CoreHarness harness(options);
  const WorkerId id = harness.AddWorker().value();
  harness.Submit(Request(10, 10));
  harness.Submit(Request(10, 10));
  const Record refused = harness.Submit(Request(30, 10));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kResourceExhausted, "limit of 50"));
  EXPECT_EQ(RetryDelayOf(harness.last_submit().status()), absl::Seconds(3));
  EXPECT_FALSE(refused->queue_position.has_value());
  harness.Submit(Request(10, 10));
  harness.Submit(Request(1, 1));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kResourceExhausted, "2 requests wait"));
  // Without a worker the same is UNAVAILABLE.
  harness.core().RemoveWorker(id, absl::UnavailableError("gone"));
  harness.Submit(Request(1, 1));
  EXPECT_THAT(harness.last_submit(), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(RetryDelayOf(harness.last_submit().status()), absl::Seconds(3));
}

TEST(SchedulerCoreTest, ValidatesBeforeQueueing) {
  CoreHarness harness;
  harness.Submit(Request(3, 3));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kUnavailable, "no worker"));
  EXPECT_TRUE(RetryDelayOf(harness.last_submit().status()).has_value());
  const WorkerId id = harness.AddWorker().value();

  GenerationRequest request = Request(3, 3);
  request.model = "other";
  harness.Submit(request);
  EXPECT_THAT(harness.last_submit(), StatusIs(StatusCode::kNotFound, "other"));

  request = Request(3, 3);
  request.sampling.top_p = 2;
  harness.Submit(request);
  EXPECT_THAT(harness.last_submit(), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(FieldOf(harness.last_submit().status()), "sampling.top_p");

  request = Request(3, 3);
  request.deadline = harness.clock().Now();
  harness.Submit(request);
  EXPECT_THAT(harness.last_submit(), StatusIs(StatusCode::kDeadlineExceeded));

  request = Request(3, 3);
  request.request_id = "twin";
  harness.Submit(request);
  EXPECT_THAT(harness.last_submit(), IsOk());
  harness.Submit(request);
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kAlreadyExists, "twin"));
  harness.RunUntilQuiet();
  harness.Submit(request);  // No longer live.
  EXPECT_THAT(harness.last_submit(), IsOk());

  harness.core().Drain();
  harness.Submit(Request(3, 3));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kUnavailable, "drains"));
  harness.RunUntilQuiet();
  EXPECT_EQ(harness.core().Snapshot().workers[0].id, id);
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, MoreThanAWholePoolIsRefusedWithTheLimit) {
  CoreHarness harness({}, ParsePolicy("kv", std::nullopt).value());
  ASSERT_THAT(harness.AddWorker({.device_half_slots = 3, .host_half_slots = 7}),
              IsOk());
  // 1 + 3 KV blocks of 4 tokens.
  EXPECT_EQ(harness.core().Snapshot().models[0].max_request_tokens, 16);
  harness.Submit(Request(10, 7));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kInvalidArgument, "holds (16)"));
  EXPECT_EQ(FieldOf(harness.last_submit().status()), "stopping.max_tokens");
  harness.Submit(Request(17, 1));
  EXPECT_EQ(FieldOf(harness.last_submit().status()), "prompt");
  const Record record = harness.Submit(Request(10, 6));
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens.size(), 6U);
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, HybridTakesWhatFitsOnlyAsAct) {
  CoreHarness harness({}, ParsePolicy("hybrid", std::nullopt).value());
  ASSERT_THAT(
      harness.AddWorker({.device_half_slots = 0, .host_half_slots = 16}),
      IsOk());
  EXPECT_EQ(harness.core().Snapshot().models[0].max_request_tokens, 64);
  const Record record = harness.Submit(Request(40, 24));
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens.size(), 24U);
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, ACancelledRequestLeavesWithTheNextPlan) {
  CoreHarness harness;
  const WorkerId id = harness.AddWorker().value();
  const Record running = harness.Submit(Request(10, 30));
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
  const Record running = harness.Submit(Request(4, 4));
  GenerationRequest request = Request(4, 4);
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
  GenerationRequest request = Request(4, 50);
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

TEST(SchedulerCoreTest, WorkersShareTheLoad) {
  CoreHarness harness;
  const WorkerId a = harness.AddWorker().value();
  const WorkerId b = harness.AddWorker({.epoch = 2}).value();
  for (int i = 0; i < 6; ++i) harness.Submit(Request(4, 8, i));
  const SchedulerSnapshot snapshot = harness.core().Snapshot();
  EXPECT_EQ(snapshot.workers[0].running, 3);
  EXPECT_EQ(snapshot.workers[1].running, 3);
  EXPECT_EQ(snapshot.models[0].workers, 2);
  EXPECT_GT(harness.worker(a).outstanding(), 0);
  EXPECT_GT(harness.worker(b).outstanding(), 0);
  harness.RunUntilQuiet();
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, ModelsAreApart) {
  SchedulerOptions options;
  options.max_running = 1;
  CoreHarness harness(options);
  ASSERT_THAT(harness.AddWorker({.model_name = "a"}), IsOk());
  ASSERT_THAT(harness.AddWorker({.model_name = "b", .weights_hash = "other"}),
              IsOk());
  GenerationRequest request = Request(4, 4);
  harness.Submit(request);
  EXPECT_THAT(harness.last_submit(), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(FieldOf(harness.last_submit().status()), "model");
  request.model = "a";
  harness.Submit(request);
  const Record waits = harness.Submit(request);
  request.model = "b";
  const Record runs = harness.Submit(request);
  EXPECT_EQ(harness.core().Snapshot().running, 2);
  EXPECT_EQ(harness.core().Snapshot().waiting, 1);
  harness.RunUntilQuiet();
  EXPECT_TRUE(waits->ended());
  EXPECT_TRUE(runs->ended());
  ExpectAtRest(harness);
}

TEST(SchedulerCoreTest, RefusesWorkersItCannotUse) {
  CoreHarness harness;
  ASSERT_THAT(harness.AddWorker(), IsOk());
  EXPECT_THAT(harness.AddWorker({.weights_hash = "other"}),
              StatusIs(StatusCode::kFailedPrecondition, "other"));
  EXPECT_THAT(harness.AddWorker({.model_name = ""}),
              StatusIs(StatusCode::kInvalidArgument, "model_name"));
  EXPECT_THAT(harness.AddWorker({.host_half_slots = -1}),
              StatusIs(StatusCode::kInvalidArgument, "pools.half_slots"));
  EXPECT_THAT(harness.AddWorker({.max_step_tokens = 0}),
              StatusIs(StatusCode::kInvalidArgument, "max_step_tokens"));
  EXPECT_THAT(harness.AddWorker({.max_logit_rows = 0}),
              StatusIs(StatusCode::kInvalidArgument, "max_logit_rows"));
  FakeWorker broken(FakeWorkerInfo());
  WorkerInfo info = broken.info();
  info.files.config_json = "{";
  EXPECT_THAT(harness.core().AddWorker(info, broken.MakeLink()),
              StatusIs(StatusCode::kInvalidArgument, "config.json"));
  EXPECT_FALSE(broken.connected());
  EXPECT_EQ(harness.core().Snapshot().workers.size(), 1U);
}

TEST(SchedulerCoreTest, SnapshotTellsWhatAWorkerDid) {
  CoreHarness harness;
  const WorkerId id = harness.AddWorker().value();
  harness.Submit(Request(10, 5));
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
  EXPECT_EQ(worker.totals.peak_kv_blocks, 3);
  EXPECT_EQ(worker.totals.peak_act_blocks, 1);
  EXPECT_EQ(worker.totals.stats.wall, absl::Milliseconds(6));
  EXPECT_EQ(worker.totals.stats.weight_bytes, 6 * 8'000);
  EXPECT_EQ(harness.core().Snapshot().counts.finished, 1);
}

TEST(SchedulerCoreTest, ShutdownEndsEveryRequest) {
  Record running;
  {
    CoreHarness harness;
    ASSERT_THAT(harness.AddWorker(), IsOk());
    running = harness.Submit(Request(10, 5));
  }
  ASSERT_TRUE(running->error.has_value());
  EXPECT_THAT(*running->error,
              StatusIs(StatusCode::kUnavailable, "shuts down"));
}

}  // namespace
}  // namespace hybridserve
