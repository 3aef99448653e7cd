#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/testing/converting_policy.h"
#include "scheduler/core/testing/core_harness.h"

// Thousands of random events: requests come, are cancelled and expire, give way
// to others where slots run out, workers of two models and two numerics classes
// come, go and answer late. Whatever
// happens, every plan is sound (FakeWorker checks), every request ends once
// (RecordingObserver checks) with the tokens that it would have got alone, and
// in the end every slot is free.

namespace hybridserve {
namespace {

using Record = std::shared_ptr<RequestRecord>;

std::unique_ptr<Policy> MakePolicy(const std::string& name) {
  if (name == "converting") return std::make_unique<ConvertingPolicy>();
  return ParsePolicy(name, std::nullopt).value();
}

struct Tracked {
  RequestKey key;
  GenerationRequest request;
  int64_t stop_after = INT64_MAX;
  Record record;
};

class RandomWorld {
 public:
  RandomWorld(uint32_t seed, const std::string& policy)
      : rng_(seed),
        flops_per_second_(policy == "converting" ? 2e5 : 2e6),
        harness_(RandomOptions(), MakePolicy(policy)) {}

  void Event() {
    const int64_t kind = Uniform(0, 99);
    if (kind < 25) {
      Submit();
    } else if (kind < 30) {
      Cancel();
    } else if (kind < 35) {
      harness_.clock().Advance(absl::Milliseconds(Uniform(0, 3000)));
      harness_.core().Tick();
    } else if (kind < 38) {
      AddWorker(Uniform(0, 1) == 0 ? "a" : "b", RandomClass());
    } else if (kind < 40) {
      LoseWorker();
    } else {
      StepSomeWorker();
    }
    harness_.core().CheckInvariants();
    Forget();
  }

  // Gives every request a worker to end on, and checks what is left.
  void Settle() {
    for (const char* model : {"a", "b"}) {
      for (const char* build : {"x", "y"}) AddWorker(model, build);
    }
    harness_.RunUntilQuiet();
    // What still waits is too long for its numerics class's workers.
    harness_.clock().Advance(absl::Minutes(2));
    harness_.core().Tick();
    harness_.RunUntilQuiet();
    harness_.core().CheckInvariants();
    EXPECT_TRUE(harness_.core().idle());
    EXPECT_EQ(harness_.core().NextTick(), absl::InfiniteFuture());
    const SchedulerSnapshot snapshot = harness_.core().Snapshot();
    for (const WorkerSnapshot& worker : snapshot.workers) {
      for (const PoolSnapshot& pool : worker.pools) {
        EXPECT_EQ(pool.free + pool.cached, pool.half_slots);
      }
      EXPECT_EQ(harness_.worker(worker.id).num_used_half_slots(), 0);
      EXPECT_EQ(worker.outstanding_plans, 0);
    }
    Forget();
    EXPECT_TRUE(live_.empty());
    EXPECT_EQ(snapshot.counts.accepted, snapshot.counts.finished +
                                            snapshot.counts.cancelled +
                                            snapshot.counts.failed);
    finished_ += snapshot.counts.finished;
    replays_ += snapshot.counts.replays;
    preemptions_ += snapshot.counts.preemptions;
    for (const auto& [id, worker] : harness_.workers()) {
      converted_ += worker->num_converted();
    }
  }

  int64_t finished() const { return finished_; }
  int64_t replays() const { return replays_; }
  int64_t preemptions() const { return preemptions_; }
  int64_t refused() const { return refused_; }
  int64_t converted() const { return converted_; }

 private:
  SchedulerOptions RandomOptions() {
    SchedulerOptions options;
    options.max_running = Uniform(1, 12);
    options.max_queue_requests = Uniform(0, 12);
    options.max_queue_tokens = Uniform(50, 600);
    options.prefill_chunk_tokens = Uniform(1, 40);
    options.failover_timeout = absl::Seconds(20);
    // Mostly less than requests turn out to generate.
    options.expected_output =
        OneOf(std::vector<std::optional<double>>{std::nullopt, 0, 0, 0, 1});
    return options;
  }

  int64_t Uniform(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng_);
  }
  template <typename T>
  const T& OneOf(const std::vector<T>& items) {
    return items[Uniform(0, static_cast<int64_t>(items.size()) - 1)];
  }
  const char* RandomClass() { return Uniform(0, 1) == 0 ? "x" : "y"; }

  void Submit() {
    Tracked tracked;
    GenerationRequest& request = tracked.request;
    request.request_id = absl::StrCat("r", Uniform(0, 60));
    request.model = Uniform(0, 2) == 0 ? "b" : "a";
    request.prompt =
        MakePrompt(Uniform(1, 32), static_cast<int32_t>(Uniform(0, 1000)));
    request.max_tokens = Uniform(1, 32);
    request.min_tokens = Uniform(0, request.max_tokens);
    request.ignore_eos = Uniform(0, 1) == 0;
    request.sampling.seed = Uniform(0, 1000);
    if (Uniform(0, 9) == 0) {
      request.deadline =
          harness_.clock().Now() + absl::Milliseconds(Uniform(1, 10'000));
    }
    if (Uniform(0, 5) == 0) {
      request.score_targets.resize(request.prompt.size());
      for (int32_t& id : request.score_targets) {
        id = static_cast<int32_t>(Uniform(-1, 99));
      }
    }
    if (Uniform(0, 5) == 0) tracked.stop_after = Uniform(1, 10);
    tracked.record = harness_.Submit(request, tracked.stop_after);
    if (!harness_.last_submit().ok()) {
      EXPECT_FALSE(tracked.record->queue_position.has_value());
      ++refused_;
      return;
    }
    tracked.key = *harness_.last_submit();
    live_.push_back(std::move(tracked));
  }

  void Cancel() {
    if (live_.empty()) return;
    const Tracked& tracked = OneOf(live_);
    if (Uniform(0, 1) == 0) {
      EXPECT_TRUE(harness_.core().Cancel(tracked.key));
    } else {
      EXPECT_TRUE(harness_.core().CancelById(tracked.request.request_id));
    }
    EXPECT_EQ(tracked.record->finished, FinishReason::kCancelled);
  }

  void AddWorker(const std::string& model, const std::string& build) {
    if (harness_.core().Snapshot().workers.size() > 6) return;
    ASSERT_THAT(
        harness_.AddWorker(
            {.model_name = model,
             .build_id = build,
             .epoch = ++epoch_,
             .device_half_slots = static_cast<int32_t>(Uniform(0, 8)),
             .host_half_slots = static_cast<int32_t>(Uniform(16, 56)),
             .staging_half_slots = static_cast<int32_t>(Uniform(48, 100)),
             .max_step_tokens = static_cast<int32_t>(Uniform(1, 40)),
             .max_logit_rows = static_cast<int32_t>(Uniform(1, 12)),
             .gemm_flops_per_second = flops_per_second_}),
        IsOk());
  }

  std::vector<WorkerId> Connected(bool with_plans) {
    std::vector<WorkerId> ids;
    for (const auto& [id, worker] : harness_.workers()) {
      if (worker->connected() && (!with_plans || worker->outstanding() > 0)) {
        ids.push_back(id);
      }
    }
    return ids;
  }

  void LoseWorker() {
    const std::vector<WorkerId> ids = Connected(/*with_plans=*/false);
    if (ids.empty()) return;
    const WorkerId id = OneOf(ids);
    FakeWorker& worker = harness_.worker(id);
    if (worker.outstanding() > 0 && Uniform(0, 1) == 0) {
      harness_.core().OnResult(
          id, worker.FailNext(absl::InternalError("the device failed")));
    } else {
      harness_.core().RemoveWorker(id, absl::UnavailableError("killed"));
    }
    EXPECT_FALSE(worker.connected());
  }

  void StepSomeWorker() {
    const std::vector<WorkerId> ids = Connected(/*with_plans=*/true);
    if (!ids.empty()) harness_.Step(OneOf(ids));
  }

  // Checks and drops the requests that have ended.
  void Forget() {
    for (Tracked& tracked : live_) {
      if (tracked.record->ended()) CheckRecord(tracked);
    }
    live_.erase(std::remove_if(live_.begin(), live_.end(),
                               [](const Tracked& tracked) {
                                 return tracked.record->ended();
                               }),
                live_.end());
  }

  void CheckRecord(const Tracked& tracked) {
    const RequestRecord& record = *tracked.record;
    const GenerationRequest& request = tracked.request;
    // One class gave them all, so they are the beginning of its output.
    bool matches = false;
    for (const char* build : {"x", "y"}) {
      const NumericsClass numerics =
          FakeWorkerInfo({.build_id = build}).numerics;
      if (request.is_score()) {
        matches |= !record.finished.has_value() ||
                   record.finished == FinishReason::kCancelled ||
                   record.scores == ExpectedScores(request, numerics);
        continue;
      }
      std::vector<int32_t> expected = ExpectedTokens(request, numerics);
      bool stopped = expected.size() < static_cast<size_t>(request.max_tokens);
      if (static_cast<int64_t>(expected.size()) > tracked.stop_after) {
        expected.resize(tracked.stop_after);
        stopped = true;
      }
      if (!record.finished.has_value() ||
          record.finished == FinishReason::kCancelled) {
        ASSERT_LE(record.tokens.size(),
                  static_cast<size_t>(request.max_tokens));
        matches |= record.tokens.size() <= expected.size() &&
                   std::equal(record.tokens.begin(), record.tokens.end(),
                              expected.begin());
      } else if (record.tokens == expected) {
        matches = true;
        if (stopped) {
          EXPECT_EQ(record.finished, FinishReason::kStop);
        }
      }
    }
    EXPECT_TRUE(matches) << "request " << tracked.key << " got "
                         << record.tokens.size() << " tokens";
  }

  static std::vector<float> ExpectedScores(const GenerationRequest& request,
                                           const NumericsClass& numerics) {
    std::vector<float> scores;
    for (size_t i = 0; i < request.prompt.size(); ++i) {
      if (request.score_targets[i] == -1) continue;
      scores.push_back(
          FakeLogProb(absl::MakeConstSpan(request.prompt).subspan(0, i + 1),
                      request.score_targets[i], numerics));
    }
    return scores;
  }

  std::mt19937 rng_;
  const double flops_per_second_;  // Of every worker.
  CoreHarness harness_;
  uint64_t epoch_ = 0;
  std::vector<Tracked> live_;
  int64_t finished_ = 0;
  int64_t replays_ = 0;
  int64_t preemptions_ = 0;
  int64_t refused_ = 0;
  int64_t converted_ = 0;
};

class SchedulerCorePropertyTest : public testing::TestWithParam<const char*> {};

TEST_P(SchedulerCorePropertyTest, NoEventLosesOrRepeatsAnything) {
  int64_t finished = 0;
  int64_t replays = 0;
  int64_t preemptions = 0;
  int64_t refused = 0;
  int64_t converted = 0;
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    RandomWorld world(seed, GetParam());
    for (int event = 0; event < 1500 && !HasFailure(); ++event) {
      SCOPED_TRACE(absl::StrCat("event ", event));
      world.Event();
    }
    world.Settle();
    finished += world.finished();
    replays += world.replays();
    preemptions += world.preemptions();
    refused += world.refused();
    converted += world.converted();
    if (HasFailure()) return;
  }
  // The test saw what it is about.
  EXPECT_GT(finished, 500);
  EXPECT_GT(replays, 50);
  EXPECT_GT(preemptions, 5);
  EXPECT_GT(refused, 100);
  const std::string policy = GetParam();
  if (policy == "converting") {
    EXPECT_GT(converted, 500);
  } else if (policy != "hybrid") {
    EXPECT_EQ(converted, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, SchedulerCorePropertyTest,
                         testing::Values("kv", "act", "hybrid", "recompute",
                                         "flexgen", "converting"),
                         [](const auto& info) {
                           return std::string(info.param);
                         });

// A stream of short requests does not keep a long one from its turn.
TEST(SchedulerCoreFairnessTest, ShortRequestsDoNotStarveALongOne) {
  CoreHarness harness;
  const WorkerId id =
      harness.AddWorker({.device_half_slots = 0, .host_half_slots = 40})
          .value();
  const auto request = [](int64_t prompt, int64_t max_tokens) {
    GenerationRequest made;
    made.prompt = MakePrompt(prompt);
    made.max_tokens = max_tokens;
    return made;
  };
  for (int i = 0; i < 4; ++i) harness.Submit(request(8, 8));
  const Record longer = harness.Submit(request(40, 20));
  std::vector<Record> later;
  for (int step = 0; !longer->ended(); ++step) {
    ASSERT_LT(step, 100);
    later.push_back(harness.Submit(request(1, 3)));
    harness.Step(id);
    if (longer->tokens.empty()) {
      for (const Record& record : later) EXPECT_TRUE(record->tokens.empty());
    }
  }
  harness.RunUntilQuiet();
  for (const Record& record : later) EXPECT_TRUE(record->ended());
}

}  // namespace
}  // namespace hybridserve
