#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/testing/core_harness.h"

// Who gives way when a worker's slots run out, and how it goes on.

namespace hybridserve {
namespace {

using ::testing::Optional;
using Record = std::shared_ptr<RequestRecord>;

// Blocks are of 4 positions; KV only, so each takes two half-slots.
std::unique_ptr<CoreHarness> Harness(std::optional<double> expected_output,
                                     const std::string& policy = "kv") {
  SchedulerOptions options;
  options.expected_output = expected_output;
  return std::make_unique<CoreHarness>(
      options, ParsePolicy(policy, std::nullopt).value());
}

FakeWorkerOptions Blocks(int32_t kv_blocks) {
  return {.device_half_slots = 0, .host_half_slots = 2 * kv_blocks};
}

int64_t Preemptions(CoreHarness& harness) {
  return harness.core().Snapshot().counts.preemptions;
}

TEST(PreemptionTest, ThePreemptedGoOnWithTheSameTokens) {
  const std::unique_ptr<CoreHarness> harness = Harness(0);
  // Three of 12 blocks each at their ends.
  const WorkerId id = harness->AddWorker(Blocks(20)).value();
  const NumericsClass numerics = harness->worker(id).info().numerics;
  std::vector<GenerationRequest> requests;
  std::vector<Record> records;
  for (int32_t i = 0; i < 3; ++i) {
    requests.push_back(MakeRequest(8, 40, i));
    requests.back().sampling.want_log_prob = true;
    records.push_back(harness->Submit(requests.back()));
  }
  EXPECT_EQ(harness->core().Snapshot().running, 3);
  harness->RunUntilQuiet();
  EXPECT_GT(Preemptions(*harness), 0);
  for (int i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    const std::vector<int32_t> expected = ExpectedTokens(requests[i], numerics);
    EXPECT_EQ(records[i]->tokens, expected);
    EXPECT_THAT(records[i]->finished, Optional(FinishReason::kLength));
    // Its log-probs too are those of its own positions.
    std::vector<int32_t> all = requests[i].prompt;
    for (size_t k = 0; k < expected.size(); ++k) {
      EXPECT_EQ(records[i]->log_probs[k],
                FakeLogProb(all, expected[k], numerics));
      all.push_back(expected[k]);
    }
    // To its client nothing happened.
    EXPECT_EQ(records[i]->resumed, 0);
    EXPECT_EQ(records[i]->usage.replays, 0);
  }
  const SchedulerSnapshot snapshot = harness->core().Snapshot();
  EXPECT_EQ(snapshot.workers[0].totals.preemptions,
            snapshot.counts.preemptions);
  EXPECT_EQ(snapshot.counts.replays, 0);
  ExpectAtRest(*harness);
}

TEST(PreemptionTest, TheOldestRunsAsIfItWereAlone) {
  const std::unique_ptr<CoreHarness> harness = Harness(0);
  const WorkerId id = harness->AddWorker(Blocks(16)).value();
  std::vector<Record> records;
  records.reserve(3);
  for (int32_t i = 0; i < 3; ++i) {
    records.push_back(harness->Submit(MakeRequest(8, 40, i)));
  }
  for (size_t step = 1; step <= 40; ++step) {
    harness->Step(id);
    EXPECT_EQ(records[0]->tokens.size(), step);
  }
  EXPECT_TRUE(records[0]->ended());
  EXPECT_GT(Preemptions(*harness), 0);
  EXPECT_FALSE(records[1]->ended());
  EXPECT_FALSE(records[2]->ended());
  harness->RunUntilQuiet();
  ExpectAtRest(*harness);
}

TEST(PreemptionTest, ThePreemptedComeBeforeThoseThatWait) {
  const std::unique_ptr<CoreHarness> harness = Harness(0);
  const WorkerId id = harness->AddWorker(Blocks(16)).value();
  std::vector<Record> records;
  records.reserve(8);
  for (int32_t i = 0; i < 8; ++i) {
    records.push_back(harness->Submit(MakeRequest(8, 40, i)));
  }
  while (!harness->core().idle()) {
    harness->Step(id);
    if (Preemptions(*harness) > 0) break;
  }
  // Nobody is begun while one that was begun before waits.
  const auto begun = [&records] {
    return std::count_if(records.begin(), records.end(),
                         [](const Record& r) { return !r->tokens.empty(); });
  };
  const int64_t before = begun();
  ASSERT_LT(before, 8);
  while (!records[before - 1]->ended() && begun() == before) harness->Step(id);
  EXPECT_TRUE(records[0]->ended());
  for (int64_t i = 1; i < before; ++i) {
    EXPECT_GT(records[i]->tokens.size(), 1U) << i;
  }
  harness->RunUntilQuiet();
  for (const Record& record : records) EXPECT_EQ(record->tokens.size(), 40U);
  ExpectAtRest(*harness);
}

TEST(PreemptionTest, AScoreStartsOver) {
  SchedulerOptions options;
  options.expected_output = 0;
  options.prefill_chunk_tokens = 2;
  CoreHarness harness(options, ParsePolicy("kv", std::nullopt).value());
  const WorkerId id = harness.AddWorker(Blocks(18)).value();
  const NumericsClass numerics = harness.worker(id).info().numerics;
  const Record first = harness.Submit(MakeRequest(4, 50));
  GenerationRequest request = MakeRequest(52, 1, 1);
  request.score_targets.assign(52, 5);
  const Record score = harness.Submit(request);
  EXPECT_EQ(harness.core().Snapshot().running, 2);
  harness.RunUntilQuiet();
  EXPECT_GT(Preemptions(harness), 0);
  EXPECT_EQ(first->tokens.size(), 50U);
  ASSERT_TRUE(score->scores.has_value());
  ASSERT_EQ(score->scores->size(), 52U);
  for (size_t i = 0; i < 52; ++i) {
    EXPECT_EQ((*score->scores)[i],
              FakeScore(absl::MakeConstSpan(request.prompt).subspan(0, i + 1),
                        5, numerics));
  }
  ExpectAtRest(harness);
}

// With max_tokens foreseen, more run than could be reserved for, and none has
// to give way.
TEST(PreemptionTest, WhatEndsSoonMakesRoomForWhatGrows) {
  const std::unique_ptr<CoreHarness> harness = Harness(1);
  ASSERT_THAT(harness->AddWorker(Blocks(30)), IsOk());
  // 11 blocks each at their ends.
  harness->Submit(MakeRequest(4, 40, 0));
  harness->Submit(MakeRequest(40, 4, 1));
  harness->Submit(MakeRequest(40, 4, 2));
  EXPECT_EQ(harness->core().Snapshot().running, 3);
  harness->Submit(MakeRequest(4, 40, 3));
  EXPECT_EQ(harness->core().Snapshot().running, 4);
  harness->RunUntilQuiet();
  EXPECT_EQ(Preemptions(*harness), 0);
  ExpectAtRest(*harness);
}

TEST(PreemptionTest, LearnsHowMuchOfMaxTokensIsUsed) {
  const std::unique_ptr<CoreHarness> harness = Harness(std::nullopt);
  ASSERT_THAT(harness->AddWorker(Blocks(30)), IsOk());
  const auto submit_all = [&harness](int64_t stop_after) {
    for (int32_t i = 0; i < 8; ++i) {
      harness->Submit(MakeRequest(4, 40, i), stop_after);
    }
    const int64_t running = harness->core().Snapshot().running;
    harness->RunUntilQuiet();
    return running;
  };
  EXPECT_EQ(submit_all(3), 2);
  for (int round = 0; round < 20; ++round) submit_all(3);
  EXPECT_EQ(Preemptions(*harness), 0);
  EXPECT_EQ(submit_all(100), 8);  // They turn out longer.
  EXPECT_GT(Preemptions(*harness), 0);
  for (int round = 0; round < 20; ++round) submit_all(100);
  const int64_t preemptions = Preemptions(*harness);
  EXPECT_EQ(submit_all(100), 2);
  EXPECT_EQ(Preemptions(*harness), preemptions);
  ExpectAtRest(*harness);
}

// Property: however small the pool and whoever gives way, all goes on.
TEST(PreemptionTest, NoLivelock) {
  std::mt19937 rng(20240917);
  const auto uniform = [&rng](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng);
  };
  int64_t preemptions = 0;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round));
    SchedulerOptions options;
    options.expected_output = static_cast<double>(uniform(0, 2)) * 0.2;
    options.prefill_chunk_tokens = uniform(1, 32);
    const char* policy = round % 3 == 0 ? "act" : "hybrid";
    const std::optional<double> act_ratio =
        round % 3 == 0
            ? std::nullopt
            : std::optional<double>(static_cast<double>(uniform(0, 10)) * 0.1);
    CoreHarness harness(options, ParsePolicy(policy, act_ratio).value());
    // The longest takes up to 32 half-slots.
    FakeWorkerOptions worker = {
        .device_half_slots = static_cast<int32_t>(uniform(0, 9)),
        .host_half_slots = static_cast<int32_t>(uniform(32, 40))};
    if (round % 3 == 0) worker.host_half_slots /= 2;
    const WorkerId id = harness.AddWorker(worker).value();
    int64_t work = 0;  // Steps that they would take one after the other.
    std::vector<GenerationRequest> requests;
    std::vector<Record> records;
    for (int32_t i = 0; i < 20; ++i) {
      const int64_t prompt = uniform(1, 30);
      requests.push_back(MakeRequest(prompt, uniform(1, 64 - prompt), i));
      records.push_back(harness.Submit(requests.back()));
      work += prompt / options.prefill_chunk_tokens + 1 +
              requests.back().max_tokens;
    }
    for (int64_t step = 0; !harness.core().idle(); ++step) {
      ASSERT_LT(step, 3 * work);
      ASSERT_GT(harness.worker(id).outstanding(), 0);
      harness.Step(id);
      harness.core().CheckInvariants();
    }
    harness.RunUntilQuiet();
    for (size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ(records[i]->tokens,
                ExpectedTokens(requests[i], harness.worker(id).info().numerics))
          << i;
    }
    preemptions += Preemptions(harness);
    ExpectAtRest(harness);
  }
  EXPECT_GT(preemptions, 500);  // It saw what it is about.
}

}  // namespace
}  // namespace hybridserve
