#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/testing/core_harness.h"
#include "scheduler/policy/policy.h"

// Which requests and workers the core takes, and who runs where and when.

namespace hybridserve {
namespace {

using absl::StatusCode;
using ::testing::Optional;
using Record = std::shared_ptr<RequestRecord>;

TEST(AdmissionTest, AFullPoolQueuesInOrder) {
  CoreHarness harness;
  const WorkerId id =
      harness.AddWorker({.device_half_slots = 0, .host_half_slots = 60})
          .value();
  std::vector<Record> records;
  // Each takes 15 blocks, 5 of them ACT: 25 half-slots. Two fit. The last
  // would fit beside them but must not overtake.
  records.reserve(5);
  for (int32_t i = 0; i < 4; ++i) {
    records.push_back(harness.Submit(MakeRequest(50, 10, i)));
  }
  records.push_back(harness.Submit(MakeRequest(2, 1)));
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

TEST(AdmissionTest, AFullQueueRefuses) {
  SchedulerOptions options;
  options.max_running = 1;
  options.max_queue_requests = 2;
  options.max_queue_tokens = 50;
  options.retry_delay = absl::Seconds(3);
  CoreHarness harness(options);
  const WorkerId id = harness.AddWorker().value();
  harness.Submit(MakeRequest(10, 10));
  harness.Submit(MakeRequest(10, 10));
  const Record refused = harness.Submit(MakeRequest(30, 10));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kResourceExhausted, "limit of 50"));
  EXPECT_EQ(RetryDelayOf(harness.last_submit().status()), absl::Seconds(3));
  EXPECT_FALSE(refused->queue_position.has_value());
  harness.Submit(MakeRequest(10, 10));
  harness.Submit(MakeRequest(1, 1));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kResourceExhausted, "2 requests wait"));
  // Without a worker the same is UNAVAILABLE.
  harness.core().RemoveWorker(id, absl::UnavailableError("gone"));
  harness.Submit(MakeRequest(1, 1));
  EXPECT_THAT(harness.last_submit(), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(RetryDelayOf(harness.last_submit().status()), absl::Seconds(3));
}

TEST(AdmissionTest, ManyRequestsOfATenantDoNotHoldUpAnother) {
  SchedulerOptions options;
  options.max_running = 2;
  CoreHarness harness(options);
  ASSERT_THAT(harness.AddWorker(), IsOk());
  std::vector<Record> many;
  many.reserve(100);
  const auto request_of = [](const char* tenant, int32_t salt) {
    GenerationRequest request = MakeRequest(4, 6, salt);
    request.tenant = tenant;
    return request;
  };
  for (int32_t i = 0; i < 100; ++i) {
    many.push_back(harness.Submit(request_of("many", i)));
  }
  const Record one = harness.Submit(request_of("one", 1));
  const WorkerId id = harness.workers().begin()->first;
  while (!one->ended()) harness.Step(id);
  int64_t ended = 0;
  for (const Record& record : many) ended += record->ended();
  EXPECT_LE(ended, 6);
  harness.RunUntilQuiet();
  ExpectAtRest(harness);
}

TEST(AdmissionTest, ATenantIsHeldToItsLimits) {
  SchedulerOptions options;
  options.max_running = 1;
  CoreHarness harness(options);
  const WorkerId id = harness.AddWorker().value();
  const auto submit = [&](const TenantLimits& limits, int32_t priority = 0) {
    GenerationRequest request = MakeRequest(4, 4);
    request.tenant = "t";
    request.tenant_limits = limits;
    request.priority = priority;
    return harness.Submit(request);
  };
  const Record running = submit({.max_live_requests = 2});
  submit({.max_live_requests = 2});
  ASSERT_THAT(harness.last_submit(), IsOk());
  submit({.max_live_requests = 2});
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kResourceExhausted, "tenant t has 2"));
  EXPECT_TRUE(RetryDelayOf(harness.last_submit().status()).has_value());
  submit({.max_queued_tokens = 15});
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kResourceExhausted, "limit of 15"));
  const Record capped = submit({.max_queued_tokens = 16, .max_priority = 0}, 9);
  const Record free = submit({}, 1);
  // Others are not.
  harness.Submit(MakeRequest(4, 4));
  EXPECT_THAT(harness.last_submit(), IsOk());
  while (!free->ended()) harness.Step(id);
  EXPECT_FALSE(capped->ended());
  harness.RunUntilQuiet();
  // Who has ended counts no more.
  submit({.max_live_requests = 1});
  EXPECT_THAT(harness.last_submit(), IsOk());
  harness.RunUntilQuiet();
  ExpectAtRest(harness);
}

TEST(AdmissionTest, ATenantsOwnGoByPriority) {
  SchedulerOptions options;
  options.max_running = 1;
  CoreHarness harness(options);
  const WorkerId id = harness.AddWorker().value();
  harness.Submit(MakeRequest(4, 4));
  const Record low = harness.Submit(MakeRequest(4, 4));
  GenerationRequest urgent = MakeRequest(4, 4);
  urgent.priority = 1;
  const Record high = harness.Submit(urgent);
  while (!high->ended()) harness.Step(id);
  EXPECT_TRUE(low->tokens.empty());
  harness.RunUntilQuiet();
  EXPECT_THAT(low->finished, Optional(FinishReason::kLength));
}

TEST(AdmissionTest, RefusesWhatWouldWaitTooLong) {
  SchedulerOptions options;
  options.max_running = 1;
  options.max_queue_requests = 10;
  options.max_queue_wait = absl::Seconds(10);
  options.retry_delay = absl::Seconds(1);
  CoreHarness harness(options);
  const WorkerId id = harness.AddWorker().value();
  std::vector<Record> records;
  // Nothing is known yet of how fast it goes: nothing is predicted.
  for (int32_t i = 0; i < 8; ++i) {
    records.push_back(harness.Submit(MakeRequest(4, 4, i)));
    ASSERT_THAT(harness.last_submit(), IsOk());
  }
  // One request, 8 tokens, every 4 seconds.
  for (int i = 0; i < 4; ++i) {
    harness.clock().Advance(absl::Seconds(4));
    while (!records[i]->ended()) harness.Step(id);
  }
  ASSERT_EQ(harness.core().Snapshot().waiting, 3);
  harness.Submit(MakeRequest(4, 4));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kResourceExhausted, "would wait for"));
  const absl::Duration delay = *RetryDelayOf(harness.last_submit().status());
  EXPECT_GE(delay, absl::Milliseconds(1900));
  EXPECT_LE(delay, absl::Milliseconds(2500));
  harness.clock().Advance(absl::Seconds(4));
  while (!records[4]->ended()) harness.Step(id);
  harness.Submit(MakeRequest(4, 4));
  EXPECT_THAT(harness.last_submit(), IsOk());
  // Without a worker it is not for the queue's length that one would wait.
  harness.core().RemoveWorker(id, absl::UnavailableError("gone"));
  harness.Submit(MakeRequest(4, 4));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kUnavailable, "has no worker now"));
  ASSERT_THAT(harness.AddWorker(), IsOk());
  harness.RunUntilQuiet();
}

TEST(AdmissionTest, AFullQueueAsksForTheTimeThatItTakes) {
  SchedulerOptions options;
  options.max_running = 1;
  options.max_queue_requests = 8;
  options.retry_delay = absl::Seconds(1);
  CoreHarness harness(options);
  const WorkerId id = harness.AddWorker().value();
  std::vector<Record> records;
  for (int32_t i = 0; i < 9; ++i) {
    records.push_back(harness.Submit(MakeRequest(4, 4, i)));
  }
  for (int i = 0; i < 3; ++i) {
    harness.clock().Advance(absl::Seconds(20));
    while (!records[i]->ended()) harness.Step(id);
    records.push_back(harness.Submit(MakeRequest(4, 4)));
    ASSERT_THAT(harness.last_submit(), IsOk());
  }
  harness.Submit(MakeRequest(4, 4));
  EXPECT_THAT(harness.last_submit(), StatusIs(StatusCode::kResourceExhausted));
  // A quarter of what waits is two requests of 20 s each.
  const absl::Duration delay = *RetryDelayOf(harness.last_submit().status());
  EXPECT_GE(delay, absl::Seconds(38));
  EXPECT_LE(delay, absl::Seconds(42));
  harness.RunUntilQuiet();
}

TEST(AdmissionTest, ValidatesBeforeQueueing) {
  CoreHarness harness;
  harness.Submit(MakeRequest(3, 3));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kUnavailable, "no worker"));
  EXPECT_TRUE(RetryDelayOf(harness.last_submit().status()).has_value());
  const WorkerId id = harness.AddWorker().value();

  GenerationRequest request = MakeRequest(3, 3);
  request.model = "other";
  harness.Submit(request);
  EXPECT_THAT(harness.last_submit(), StatusIs(StatusCode::kNotFound, "other"));

  request = MakeRequest(3, 3);
  request.sampling.top_p = 2;
  harness.Submit(request);
  EXPECT_THAT(harness.last_submit(), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(FieldOf(harness.last_submit().status()), "sampling.top_p");

  request = MakeRequest(3, 3);
  request.deadline = harness.clock().Now();
  harness.Submit(request);
  EXPECT_THAT(harness.last_submit(), StatusIs(StatusCode::kDeadlineExceeded));

  request = MakeRequest(3, 3);
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
  harness.Submit(MakeRequest(3, 3));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kUnavailable, "drains"));
  harness.RunUntilQuiet();
  EXPECT_EQ(harness.core().Snapshot().workers[0].id, id);
  ExpectAtRest(harness);
}

TEST(AdmissionTest, MoreThanAWholePoolIsRefusedWithTheLimit) {
  CoreHarness harness({}, ParsePolicy("kv", std::nullopt).value());
  ASSERT_THAT(harness.AddWorker({.device_half_slots = 3, .host_half_slots = 7}),
              IsOk());
  // 1 + 3 KV blocks of 4 tokens.
  EXPECT_EQ(harness.core().Snapshot().models[0].max_request_tokens, 16);
  harness.Submit(MakeRequest(10, 7));
  EXPECT_THAT(harness.last_submit(),
              StatusIs(StatusCode::kInvalidArgument, "holds (16)"));
  EXPECT_EQ(FieldOf(harness.last_submit().status()), "stopping.max_tokens");
  harness.Submit(MakeRequest(17, 1));
  EXPECT_EQ(FieldOf(harness.last_submit().status()), "prompt");
  const Record record = harness.Submit(MakeRequest(10, 6));
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens.size(), 6U);
  ExpectAtRest(harness);
}

TEST(AdmissionTest, HybridTakesWhatFitsOnlyAsAct) {
  CoreHarness harness({}, ParsePolicy("hybrid", std::nullopt).value());
  ASSERT_THAT(
      harness.AddWorker({.device_half_slots = 0, .host_half_slots = 16}),
      IsOk());
  EXPECT_EQ(harness.core().Snapshot().models[0].max_request_tokens, 64);
  const Record record = harness.Submit(MakeRequest(40, 24));
  harness.RunUntilQuiet();
  EXPECT_EQ(record->tokens.size(), 24U);
  ExpectAtRest(harness);
}

// On a slow device ACT never pays; still one block is tried now and then.
TEST(AdmissionTest, HybridProbesAKindLeftUnused) {
  CoreHarness harness({}, ParsePolicy("hybrid", std::nullopt).value());
  ASSERT_THAT(harness.AddWorker({.gemm_flops_per_second = 1e4}), IsOk());
  const auto act_blocks = [&harness] {
    int64_t sum = 0;
    const SchedulerSnapshot snapshot = harness.core().Snapshot();
    for (const PoolSnapshot& pool : snapshot.workers[0].pools) {
      sum += pool.act_blocks;
    }
    return sum;
  };
  harness.Submit(MakeRequest(4, 12));
  EXPECT_EQ(act_blocks(), 0);
  harness.RunUntilQuiet();
  harness.Submit(MakeRequest(4, 12));
  EXPECT_EQ(act_blocks(), 0);  // Too early.
  harness.RunUntilQuiet();
  harness.Submit(MakeRequest(8, 20));
  EXPECT_EQ(act_blocks(), 1);
  const SchedulerSnapshot snapshot = harness.core().Snapshot();
  for (const PoolSnapshot& pool : snapshot.workers[0].pools) {
    EXPECT_EQ(pool.act_blocks, pool.tier == Tier::kHost ? 1 : 0);
  }
  harness.Submit(MakeRequest(8, 20));
  EXPECT_EQ(act_blocks(), 1);  // One is enough for now.
  harness.RunUntilQuiet();
  ExpectAtRest(harness);
}

// All ACT for few sequences, none for many.
class ActForFew final : public Policy {
 public:
  absl::string_view name() const override { return "act for few"; }
  CacheMix ChooseMix(const CostModel& /*costs*/,
                     const Capacities& /*capacities*/,
                     const Workload& workload) const override {
    return {.act_ratio = workload.sequences < 4 ? 1.0 : 0.0};
  }
  double MaxActRatio(const CostModel& /*costs*/) const override { return 1; }
};

// Of a burst the first come under a mix for few: what no plan has told yet
// follows the mix for all.
TEST(AdmissionTest, UntoldBlocksFollowTheMix) {
  CoreHarness harness({}, std::make_unique<ActForFew>());
  const WorkerId id = harness.AddWorker().value();
  const auto act_blocks = [&harness] {
    int64_t sum = 0;
    const SchedulerSnapshot snapshot = harness.core().Snapshot();
    for (const PoolSnapshot& pool : snapshot.workers[0].pools) {
      sum += pool.act_blocks;
    }
    return sum;
  };
  std::vector<Record> records;
  records.reserve(3);
  for (int32_t i = 0; i < 3; ++i) {
    records.push_back(harness.Submit(MakeRequest(24, 8, i)));
  }
  EXPECT_EQ(act_blocks(), 3 * 7);  // For prompts and a block more.
  const int64_t told = harness.worker(id).num_used_half_slots();
  EXPECT_EQ(told, 7);  // The first one's, for its prompt and its next token.
  records.push_back(harness.Submit(MakeRequest(24, 8, 3)));
  EXPECT_EQ(act_blocks(), told);
  harness.RunUntilQuiet();
  for (const Record& record : records) EXPECT_EQ(record->tokens.size(), 8U);
  ExpectAtRest(harness);
}

TEST(AdmissionTest, NoProbesUnderAFixedShare) {
  CoreHarness harness({}, ParsePolicy("kv", std::nullopt).value());
  ASSERT_THAT(harness.AddWorker(), IsOk());
  for (int i = 0; i < 4; ++i) {
    harness.Submit(MakeRequest(8, 20));
    EXPECT_EQ(harness.core().Snapshot().workers[0].pools[0].act_blocks, 0);
    harness.RunUntilQuiet();
  }
}

TEST(AdmissionTest, AStepTimeBoundsWhatRuns) {
  SchedulerOptions options;
  for (const char* policy : {"kv", "hybrid"}) {
    SCOPED_TRACE(policy);
    options.max_step_time = absl::InfiniteDuration();
    CoreHarness unbound(options, ParsePolicy(policy, std::nullopt).value());
    // Weights alone take 8 ms a step.
    options.max_step_time = absl::Milliseconds(11);
    CoreHarness bound(options, ParsePolicy(policy, std::nullopt).value());
    std::vector<Record> records;
    for (CoreHarness* harness : {&unbound, &bound}) {
      ASSERT_THAT(harness->AddWorker(), IsOk());
      for (int i = 0; i < 10; ++i) {
        records.push_back(harness->Submit(MakeRequest(8, 8, i)));
      }
    }
    EXPECT_EQ(unbound.core().Snapshot().running, 10);
    EXPECT_GE(bound.core().Snapshot().running, 1);
    EXPECT_LT(bound.core().Snapshot().running, 10);
    unbound.RunUntilQuiet();
    bound.RunUntilQuiet();
    for (const Record& record : records) EXPECT_EQ(record->tokens.size(), 8U);
    ExpectAtRest(bound);
  }
}

TEST(AdmissionTest, WorkersShareTheLoad) {
  CoreHarness harness;
  const WorkerId a = harness.AddWorker().value();
  const WorkerId b = harness.AddWorker({.epoch = 2}).value();
  for (int i = 0; i < 6; ++i) harness.Submit(MakeRequest(4, 8, i));
  const SchedulerSnapshot snapshot = harness.core().Snapshot();
  EXPECT_EQ(snapshot.workers[0].running, 3);
  EXPECT_EQ(snapshot.workers[1].running, 3);
  EXPECT_EQ(snapshot.models[0].workers, 2);
  EXPECT_GT(harness.worker(a).outstanding(), 0);
  EXPECT_GT(harness.worker(b).outstanding(), 0);
  harness.RunUntilQuiet();
  ExpectAtRest(harness);
}

// So that the request that warms it up runs there.
TEST(AdmissionTest, AnIdleWorkerThatHasShownNothingComesFirst) {
  CoreHarness harness;
  ASSERT_THAT(harness.AddWorker({.host_half_slots = 200}), IsOk());
  harness.Submit(MakeRequest(4, 2));
  harness.RunUntilQuiet();
  // The first one has the lower id and more room.
  ASSERT_THAT(harness.AddWorker({.host_half_slots = 100}), IsOk());
  harness.Submit(MakeRequest(4, 2));
  EXPECT_EQ(harness.core().Snapshot().workers[1].running, 1);
  harness.RunUntilQuiet();
  harness.Submit(MakeRequest(4, 2));
  EXPECT_EQ(harness.core().Snapshot().workers[0].running, 1);
  harness.RunUntilQuiet();
  ExpectAtRest(harness);
}

TEST(AdmissionTest, ModelsAreApart) {
  SchedulerOptions options;
  options.max_running = 1;
  CoreHarness harness(options);
  ASSERT_THAT(harness.AddWorker({.model_name = "a"}), IsOk());
  ASSERT_THAT(harness.AddWorker({.model_name = "b", .weights_hash = "other"}),
              IsOk());
  GenerationRequest request = MakeRequest(4, 4);
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

TEST(AdmissionTest, RefusesWorkersItCannotUse) {
  CoreHarness harness;
  ASSERT_THAT(harness.AddWorker(), IsOk());
  EXPECT_THAT(harness.AddWorker({.weights_hash = "other"}),
              StatusIs(StatusCode::kFailedPrecondition, "other"));
  EXPECT_THAT(harness.AddWorker({.model_name = ""}),
              StatusIs(StatusCode::kInvalidArgument, "model_name"));
  EXPECT_THAT(harness.AddWorker({.host_half_slots = -1}),
              StatusIs(StatusCode::kInvalidArgument, "pools.half_slots"));
  EXPECT_THAT(harness.AddWorker({.host_half_slots = INT32_MAX}),
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

}  // namespace
}  // namespace hybridserve
