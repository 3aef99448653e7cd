#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/ids.h"
#include "common/step_plan.h"
#include "gtest/gtest.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/testing/converting_policy.h"
#include "scheduler/core/testing/core_harness.h"
#include "scheduler/policy/policy.h"

// Whose turn it is: first come, first served per model, and nobody waits for
// ever.

namespace hybridserve {
namespace {

using Record = std::shared_ptr<RequestRecord>;

// Requests of two models, one worker each, with room for all that may run. The
// plans say who starts when: a prompt's first token is its request's own.
class OrderWorld {
 public:
  explicit OrderWorld(uint32_t seed)
      : random_(seed),
        harness_({.max_running = Uniform(1, 6),
                  .prefill_chunk_tokens = Uniform(1, 40),
                  .expected_output = 1},
                 ParsePolicy("kv", std::nullopt).value()) {
    for (const char* model : {"a", "b"}) {
      const WorkerId id = harness_
                              .AddWorker({.model_name = model,
                                          .device_half_slots = 0,
                                          .host_half_slots = 400,
                                          .staging_half_slots = 400,
                                          .max_step_tokens = 40,
                                          .vocab_size = kVocabSize})
                              .value();
      lanes_[model] = {.worker = id};
    }
  }

  void Event() {
    const int64_t kind = Uniform(0, 99);
    if (kind < 30) {
      Submit(Uniform(0, 1) == 0 ? "a" : "b");
    } else if (kind < 35 && !records_.empty()) {
      harness_.core().Cancel(keys_[Uniform(0, Size(keys_) - 1)]);
    } else if (kind < 40) {
      harness_.clock().Advance(absl::Milliseconds(Uniform(0, 500)));
      harness_.core().Tick();
    } else {
      Lane& lane = lanes_.at(Uniform(0, 1) == 0 ? "a" : "b");
      if (harness_.worker(lane.worker).outstanding() > 0) {
        harness_.Step(lane.worker);
      }
    }
    for (auto& [model, lane] : lanes_) Observe(lane);
  }

  void Settle() {
    for (bool again = true; again;) {
      again = false;
      for (auto& [model, lane] : lanes_) {
        if (harness_.worker(lane.worker).outstanding() == 0) continue;
        harness_.Step(lane.worker);
        Observe(lane);
        again = true;
      }
    }
    ExpectAtRest(harness_);
    EXPECT_EQ(harness_.core().Snapshot().counts.preemptions, 0);
    for (const Record& record : records_) EXPECT_TRUE(record->ended());
  }

  int64_t starts() const { return starts_; }

 private:
  static constexpr int64_t kVocabSize = 4000;

  struct Lane {
    WorkerId worker;
    uint64_t last_step = 0;  // Of the plans that were seen.
    int64_t last_started = -1;
  };

  template <typename T>
  static int64_t Size(const std::vector<T>& items) {
    return static_cast<int64_t>(items.size());
  }
  int64_t Uniform(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }

  void Submit(const std::string& model) {
    GenerationRequest request = MakeRequest(Uniform(1, 32), Uniform(1, 32));
    request.model = model;
    request.prompt[0] = static_cast<int32_t>(records_.size());
    ASSERT_LT(request.prompt[0], kVocabSize);
    if (Uniform(0, 9) == 0) {
      request.deadline = harness_.clock().Now() + absl::Seconds(Uniform(1, 9));
    }
    records_.push_back(harness_.Submit(request));
    ASSERT_TRUE(harness_.last_submit().ok()) << harness_.last_submit().status();
    keys_.push_back(*harness_.last_submit());
  }

  void Observe(Lane& lane) {
    for (const StepPlan& plan :
         harness_.worker(lane.worker).outstanding_plans()) {
      if (plan.fence.step <= lane.last_step) continue;
      lane.last_step = plan.fence.step;
      // Those that start with one plan start together.
      std::vector<int64_t> starts;
      for (const StepSequence& step : plan.sequences) {
        if (step.num_cached == 0) starts.push_back(step.new_tokens.at(0));
      }
      std::sort(starts.begin(), starts.end());
      for (const int64_t start : starts) {
        EXPECT_LT(lane.last_started, start) << "overtook an older request";
        lane.last_started = start;
        ++starts_;
      }
    }
  }

  std::mt19937 random_;
  CoreHarness harness_;
  absl::btree_map<std::string, Lane> lanes_;
  std::vector<Record> records_;
  std::vector<RequestKey> keys_;
  int64_t starts_ = 0;
};

TEST(SchedulerCoreFairnessTest, RequestsOfAModelStartInTheirOrder) {
  int64_t starts = 0;
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    OrderWorld world(seed);
    for (int event = 0; event < 1000 && !testing::Test::HasFailure(); ++event) {
      SCOPED_TRACE(absl::StrCat("event ", event));
      world.Event();
    }
    world.Settle();
    starts += world.starts();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  EXPECT_GT(starts, 5000);
}

// One worker whose cache is small, and more requests than it can serve: as soon
// as the queue has room there is another. Sequences give way all the time.
class FloodedWorld {
 public:
  FloodedWorld(uint32_t seed, const std::string& policy)
      : random_(seed),
        harness_({.max_running = Uniform(2, 12),
                  .max_queue_requests = Uniform(1, 12),
                  .prefill_chunk_tokens = Uniform(1, 40),
                  .expected_output = 0},
                 policy == "converting"
                     ? std::make_unique<ConvertingPolicy>()
                     : ParsePolicy(policy, std::nullopt).value()),
        worker_(
            harness_
                .AddWorker(
                    {.device_half_slots = static_cast<int32_t>(Uniform(0, 8)),
                     .host_half_slots = static_cast<int32_t>(Uniform(34, 60)),
                     .max_step_tokens = static_cast<int32_t>(Uniform(4, 40)),
                     .gemm_flops_per_second =
                         policy == "converting" ? 2e5 : 2e6})
                .value()) {}

  void Step() {
    while (Submit()) {
    }
    harness_.Step(worker_);
    ++steps_;
    for (auto it = live_.begin(); it != live_.end();) {
      const Waiting& waiting = *it;
      EXPECT_LE(steps_, waiting.due) << "waits since step " << waiting.since;
      longest_ = std::max(longest_, steps_ - waiting.since);
      if (waiting.record->ended()) {
        EXPECT_EQ(waiting.record->finished, FinishReason::kLength);
        it = live_.erase(it);
      } else {
        ++it;
      }
    }
  }

  int64_t preemptions() {
    return harness_.core().Snapshot().counts.preemptions;
  }
  int64_t longest() const { return longest_; }

 private:
  struct Waiting {
    Record record;
    int64_t positions = 0;
    int64_t since = 0;  // Steps.
    int64_t due = 0;
  };

  int64_t Uniform(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }

  bool Submit() {
    const int64_t prompt = Uniform(1, 20);
    const int64_t max_tokens = Uniform(0, 4) == 0 ? Uniform(20, 40) : 3;
    Record record = harness_.Submit(
        MakeRequest(prompt, max_tokens, static_cast<int32_t>(steps_)));
    if (!harness_.last_submit().ok()) {
      EXPECT_EQ(harness_.last_submit().status().code(),
                absl::StatusCode::kResourceExhausted);
      return false;
    }
    // As if one ran after the other, row by row, each twice.
    int64_t rows = prompt + max_tokens;
    for (const Waiting& older : live_) rows += older.positions;
    live_.push_back({.record = std::move(record),
                     .positions = prompt + max_tokens,
                     .since = steps_,
                     .due = steps_ + 2 * rows + 16});
    return true;
  }

  std::mt19937 random_;
  CoreHarness harness_;
  const WorkerId worker_;
  std::vector<Waiting> live_;  // By age.
  int64_t steps_ = 0;
  int64_t longest_ = 0;
};

class FloodTest : public testing::TestWithParam<const char*> {};

TEST_P(FloodTest, NoRequestStarves) {
  int64_t preemptions = 0;
  int64_t longest = 0;
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    FloodedWorld world(seed, GetParam());
    for (int step = 0; step < 2500; ++step) {
      SCOPED_TRACE(absl::StrCat("step ", step));
      world.Step();
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    preemptions += world.preemptions();
    longest = std::max(longest, world.longest());
  }
  EXPECT_GT(preemptions, 100);
  RecordProperty("longest_wait_steps", static_cast<int>(longest));
}

INSTANTIATE_TEST_SUITE_P(Policies, FloodTest,
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
