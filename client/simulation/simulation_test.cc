#include "client/simulation/simulation.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "client/simulation/testing/opt_worker.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// Policies compared in full runs of scheduler and engine, without noise.

namespace hybridserve {
namespace {

// A device of 60 TFLOPS and 1 TB/s behind PCIe 4.0, for a few layers of
// OPT-30B: one on which neither kind alone is best.
SimulatedWorkerOptions Worker() {
  SimulatedWorkerOptions worker = OptWorker({});
  worker.device_memory = MemorySetting::Bytes(int64_t{5} << 30);
  return worker;
}

SimulationResult RunPolicy(const std::string& policy,
                           std::optional<double> act_ratio,
                           const SimulatedLoad& load,
                           const SimulatedWorkerOptions& worker = Worker()) {
  return Simulate(worker, {.max_running = 64},
                  ParsePolicy(policy, act_ratio).value(), load)
      .value();
}

constexpr SimulatedLoad kLoad = {
    .requests = 32, .prompt_tokens = 1024, .output_tokens = 300};

TEST(SimulationTest, EveryRequestEndsAndIsRepeatable) {
  const SimulationResult first = RunPolicy("kv", std::nullopt, kLoad);
  EXPECT_EQ(first.generated_tokens, 32 * 300);
  EXPECT_GT(first.decode_steps, 2);
  EXPECT_EQ(first.act_blocks, 0);
  EXPECT_GT(first.kv_blocks, 32 * 64);
  const SimulationResult second = RunPolicy("kv", std::nullopt, kLoad);
  EXPECT_EQ(first.total, second.total);
  EXPECT_EQ(first.decode.wall, second.decode.wall);
}

TEST(SimulationTest, StepsTakeWhatTheLongerOfLinkAndComputeTakes) {
  for (const char* policy : {"kv", "act", "hybrid"}) {
    const SimulationResult result = RunPolicy(policy, std::nullopt, kLoad);
    const absl::Duration ideal =
        std::max(result.decode.link_busy, result.decode.compute_busy);
    EXPECT_GE(absl::FDivDuration(ideal, result.decode.wall), 0.95)
        << policy << ": " << result.mix_reason << ", link "
        << result.decode.link_busy << ", compute " << result.decode.compute_busy
        << ", wall " << result.decode.wall;
  }
}

TEST(SimulationTest, HybridBeatsBothSingleKinds) {
  const absl::Duration kv = RunPolicy("kv", std::nullopt, kLoad).decode_step();
  const absl::Duration act =
      RunPolicy("act", std::nullopt, kLoad).decode_step();
  const SimulationResult hybrid = RunPolicy("hybrid", std::nullopt, kLoad);
  EXPECT_LT(hybrid.decode_step(), std::min(kv, act) * 0.9)
      << "kv " << kv << ", act " << act << ", " << hybrid.mix_reason;
  EXPECT_GT(hybrid.act_blocks, 0) << hybrid.mix_reason;
  EXPECT_GT(hybrid.kv_blocks, 0) << hybrid.mix_reason;
}

TEST(SimulationTest, ABadModelIsRefused) {
  SimulatedWorkerOptions worker = Worker();
  worker.config_json = "{}";
  EXPECT_THAT(Simulate(worker, {}, ParsePolicy("kv", std::nullopt).value(), {}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(SimulationTest, EveryStepIsTold) {
  int64_t steps = 0;
  int64_t most_running = 0;
  const auto result = Simulate(
      Worker(), {.max_running = 4}, ParsePolicy("kv", std::nullopt).value(),
      {.requests = 6, .prompt_tokens = 64, .output_tokens = 8},
      [&](const StepStats& stats, const WorkerSnapshot& worker) {
        ++steps;
        EXPECT_GT(stats.wall, absl::ZeroDuration());
        most_running = std::max(most_running, worker.running);
      });
  ASSERT_THAT(result, IsOk());
  EXPECT_GE(steps, 16);
  EXPECT_EQ(most_running, 4);
  EXPECT_EQ(result->running, 4);
  EXPECT_GT(result->decode_steps, 0);
}

SimulationResult RunWith(std::unique_ptr<Policy> policy,
                         const SimulatedLoad& load,
                         const SimulatedWorkerOptions& worker) {
  return Simulate(worker, {.max_running = 64}, std::move(policy), load).value();
}

// PAPER.md figure 4: recomputing from token ids is dear, the dearer the more.
TEST(SimulationTest, RecomputingTokensTakesLonger) {
  SimulatedWorkerOptions worker = Worker();
  worker.recompute_tokens = int64_t{4} * 304;
  // Few sequences, which a device of a tenth of the FLOPS makes up for.
  worker.profile.fits[WorkKind::kForward].cost.seconds_per_unit *= 10;
  const SimulatedLoad load = {
      .requests = 4, .prompt_tokens = 256, .output_tokens = 40};
  const auto run = [&](double ratio) {
    return RunWith(
        ParsePolicy("recompute", std::nullopt, {.recompute_ratio = ratio})
            .value(),
        load, worker);
  };
  const SimulationResult none = run(0);
  const SimulationResult half = run(0.5);
  const SimulationResult all = run(1);
  EXPECT_LT(half.decode.kv_bytes, none.decode.kv_bytes * 0.6);
  EXPECT_EQ(all.decode.kv_bytes, 0);
  EXPECT_EQ(all.kv_blocks, 0);
  EXPECT_LT(none.decode_step(), half.decode_step());
  EXPECT_LT(half.decode_step(), all.decode_step());
  for (const SimulationResult& result : {none, half, all}) {
    EXPECT_NEAR(absl::FDivDuration(result.predicted, result.decode.wall), 1,
                0.08)
        << result.mix_reason;
  }
}

// With mini-batches FlexGen's schedule loads weights beside the first only.
TEST(SimulationTest, TheZigZagScheduleOverlapsLess) {
  SimulatedWorkerOptions worker = Worker();
  worker.staging_memory_bytes = int64_t{512} << 20;
  const SimulationResult kv = RunPolicy("kv", std::nullopt, kLoad, worker);
  const SimulationResult flexgen =
      RunPolicy("flexgen", std::nullopt, kLoad, worker);
  EXPECT_EQ(flexgen.generated_tokens, kv.generated_tokens);
  EXPECT_GT(flexgen.decode.mini_batches, flexgen.decode_steps);
  EXPECT_GT(flexgen.decode_step(), kv.decode_step());
  EXPECT_LT(flexgen.decode_step(), 2 * kv.decode_step());
  EXPECT_NEAR(absl::FDivDuration(flexgen.predicted, flexgen.decode.wall), 1,
              0.05)
      << flexgen.mix_reason;
}

// Nothing crosses the link but new rows' embeddings and what is sampled.
TEST(SimulationTest, ResidentLoadsNothing) {
  SimulatedWorkerOptions worker = Worker();
  worker.device_memory = MemorySetting::Bytes(int64_t{20} << 30);
  worker.resident_weights = 100;
  const SimulatedLoad load = {
      .requests = 16, .prompt_tokens = 512, .output_tokens = 100};
  const SimulationResult resident =
      RunWith(ParsePolicy("resident", std::nullopt).value(), load, worker);
  EXPECT_EQ(resident.decode.weight_bytes, 0);
  EXPECT_EQ(resident.decode.kv_bytes, 0);
  EXPECT_EQ(resident.decode.write_back_bytes, 0);
  const SimulationResult kv =
      RunWith(ParsePolicy("kv", std::nullopt).value(), load, Worker());
  EXPECT_LT(resident.decode_step(), kv.decode_step());
  EXPECT_THAT(
      Simulate(Worker(), {}, ParsePolicy("resident", std::nullopt).value(),
               load),
      StatusIs(absl::StatusCode::kInvalidArgument, "--policy=resident: "));
}

}  // namespace
}  // namespace hybridserve
