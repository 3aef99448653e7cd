#include "client/plan/plan_runner.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "client/simulation/testing/opt_worker.h"
#include "common/model_config_json.h"
#include "common/testing/status_matchers.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/sim/sim_clock.h"
#include "worker/simulated_worker.h"

namespace hybridserve {
namespace {

// As a worker with such a device would register.
PlannedWorker Worker() {
  SimulatedWorkerOptions options = OptWorker({.hidden = 1024,
                                              .layers = 6,
                                              .link_bytes_per_second = 1e9,
                                              .flops_per_second = 1e12});
  options.device_memory = MemorySetting::Bytes(int64_t{128} << 20);
  options.host_memory = MemorySetting::Bytes(int64_t{1} << 30);
  options.staging_memory_bytes = 0;
  options.max_running = 32;
  SimClock clock;
  const auto worker = SimulatedWorker::Create(options, clock);
  CHECK(worker.ok()) << worker.status();
  return {.info = (*worker)->info(),
          .memory = (*worker)->memory_plan(),
          .config = ParseModelConfig(options.config_json).value()};
}

PlanOptions Options() {
  PlanOptions options;
  options.load = {
      .policies = {{.name = "kv"}, {.name = "act"}, {.name = "hybrid"}},
      .batch = 16,
      .prompt_tokens = {256},
      .output_tokens = 64};
  options.worker.max_running = options.scheduler.max_running = 32;
  return options;
}

absl::StatusOr<std::vector<PolicyForecast>> Forecast(
    const PlanOptions& options) {
  return ForecastAll(options, Worker(), [](const BenchPolicy& policy) {
    return ParsePolicy(policy.name, std::nullopt);
  });
}

TEST(PlanRunnerTest, ForecastsEveryPolicyBothWays) {
  const auto forecasts = Forecast(Options());
  ASSERT_THAT(forecasts, IsOk());
  ASSERT_EQ(forecasts->size(), 3u);
  for (const PolicyForecast& forecast : *forecasts) {
    SCOPED_TRACE(forecast.policy.name);
    EXPECT_EQ(forecast.mix.chosen.sequences, 16);
    ASSERT_TRUE(forecast.simulated_tokens_per_s().has_value());
    EXPECT_NEAR(
        *forecast.simulated_tokens_per_s() / forecast.predicted_tokens_per_s(),
        1, 0.1);
    const SimulationResult& simulated = *forecast.simulated;
    const auto steps = static_cast<double>(simulated.decode_steps);
    const auto expect_near = [&](double predicted, int64_t bytes) {
      EXPECT_NEAR(predicted, static_cast<double>(bytes) / steps,
                  0.1 * predicted + 1);
    };
    expect_near(forecast.bytes.weights, simulated.decode.weight_bytes);
    expect_near(forecast.bytes.kv, simulated.decode.kv_bytes);
    expect_near(forecast.bytes.act, simulated.decode.act_bytes);
  }
  EXPECT_EQ((*forecasts)[0].bytes.act, 0);
  EXPECT_GT((*forecasts)[1].bytes.act, 0);
  // Any single kind is one of the mixes that hybrid chooses from.
  EXPECT_GE((*forecasts)[2].predicted_tokens_per_s(),
            0.99 * Fastest(*forecasts)->predicted_tokens_per_s());
}

TEST(PlanRunnerTest, ABatchOfAutoIsWhatFits) {
  PlanOptions options = Options();
  options.load.batch.reset();
  options.load.policies = {{.name = "kv"}};
  options.load.prompt_tokens = {500, 1900};
  const auto forecasts = Forecast(options);
  ASSERT_THAT(forecasts, IsOk());
  ASSERT_EQ(forecasts->size(), 2u);
  EXPECT_EQ((*forecasts)[0].mix.chosen.sequences, 32);
  EXPECT_LT((*forecasts)[1].mix.chosen.sequences, 32);
  EXPECT_EQ((*forecasts)[1].simulated->running,
            (*forecasts)[1].mix.chosen.sequences);
}

TEST(PlanRunnerTest, MoreThanTheModelTakesIsRefusedByName) {
  PlanOptions options = Options();
  options.load.prompt_tokens = {2000};
  EXPECT_THAT(Forecast(options), StatusIs(absl::StatusCode::kInvalidArgument,
                                          "--prompt_tokens: 2000"));
}

// Too long a run is only predicted.
TEST(PlanRunnerTest, LeavesOutLongSimulations) {
  PlanOptions options = Options();
  options.load.batch = 32;
  options.load.policies = {{.name = "act"}};
  options.load.prompt_tokens = {500};
  options.scheduler.prefill_chunk_tokens = 1;
  const auto forecasts = Forecast(options);
  ASSERT_THAT(forecasts, IsOk());
  EXPECT_GT((*forecasts)[0].predicted_tokens_per_s(), 0);
  EXPECT_FALSE((*forecasts)[0].simulated.has_value());
}

}  // namespace
}  // namespace hybridserve
