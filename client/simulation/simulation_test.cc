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

}  // namespace
}  // namespace hybridserve
