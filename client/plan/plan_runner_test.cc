#include "client/plan/plan_runner.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/bench/bench_flags.h"
#include "client/simulation/testing/opt_worker.h"
#include "common/model_config_json.h"
#include "common/testing/status_matchers.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/flags/scheduler_flags.h"
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
    const PlanOptions& options, const PlannedWorker& worker = Worker()) {
  return ForecastAll(options, worker, [](const BenchPolicy& policy) {
    return PolicyFromFlags(PolicyFlagsOf(policy));
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

// Each on a worker set up as it needs one.
TEST(PlanRunnerTest, ForecastsTheBaselinesBothWays) {
  PlanOptions options = Options();
  options.load.batch = 4;
  options.load.policies = {{.name = "kv"},
                           {.name = "recompute", .recompute_ratio = "0.5"},
                           {.name = "flexgen"}};
  const auto forecasts = Forecast(options);
  ASSERT_THAT(forecasts, IsOk());
  ASSERT_EQ(forecasts->size(), 3u);
  for (const PolicyForecast& forecast : *forecasts) {
    SCOPED_TRACE(forecast.policy.name);
    EXPECT_EQ(forecast.mix.chosen.sequences, 4) << forecast.mix.reason;
    ASSERT_TRUE(forecast.simulated_tokens_per_s().has_value());
    EXPECT_NEAR(
        *forecast.simulated_tokens_per_s() / forecast.predicted_tokens_per_s(),
        1, 0.1);
  }
  const auto& kv = (*forecasts)[0];
  EXPECT_GT((*forecasts)[1].mix.chosen.blocks.tokens, 0);
  EXPECT_LT((*forecasts)[1].bytes.kv, 0.6 * kv.bytes.kv);
  EXPECT_FALSE(kv.flexgen.has_value());
  ASSERT_TRUE((*forecasts)[2].flexgen.has_value());
  EXPECT_TRUE((*forecasts)[2].flexgen->device_attention.has_value());
}

TEST(PlanRunnerTest, KeepsTheWeightsOnTheDeviceThatPercentsName) {
  PlanOptions options = Options();
  options.load.batch = 4;
  PlannedWorker worker = Worker();
  worker.memory.device_limit = int64_t{200} << 20;
  std::vector<double> streamed;
  for (const char* const percent :
       {"0,100,0,100,100,0", "50,50,0,100,100,0", "90,10,0,100,100,0"}) {
    options.load.policies = {{.name = "flexgen", .percent = percent}};
    const auto forecasts = Forecast(options, worker);
    ASSERT_THAT(forecasts, IsOk());
    ASSERT_TRUE(forecasts->front().fits()) << forecasts->front().mix.reason;
    streamed.push_back(forecasts->front().bytes.weights);
  }
  EXPECT_GT(streamed[0], 1.5 * streamed[1]);
  EXPECT_GT(streamed[1], 1.5 * streamed[2]);
}

TEST(PlanRunnerTest, SaysWhyAPolicyCannotRun) {
  PlanOptions options = Options();
  options.load.policies = {{.name = "resident"}, {.name = "kv"}};
  const auto forecasts = Forecast(options);
  ASSERT_THAT(forecasts, IsOk());
  EXPECT_FALSE((*forecasts)[0].fits());
  EXPECT_THAT((*forecasts)[0].mix.reason, testing::HasSubstr("resident"));
  EXPECT_TRUE((*forecasts)[1].fits());
}

// It keeps nothing on the host, so the device alone bounds what runs.
TEST(PlanRunnerTest, ResidentCacheIsTheDevicesAlone) {
  PlanOptions options = Options();
  options.load.policies = {{.name = "resident"}};
  options.load.batch.reset();
  PlannedWorker worker = Worker();
  worker.memory.device_limit = int64_t{400} << 20;
  const auto forecasts = Forecast(options, worker);
  ASSERT_THAT(forecasts, IsOk());
  const PolicyForecast& resident = forecasts->front();
  ASSERT_TRUE(resident.fits()) << resident.mix.reason;
  EXPECT_LT(resident.mix.chosen.sequences, 32);
  EXPECT_EQ(resident.mix.chosen.blocks.kv_host, 0);
  EXPECT_EQ(resident.bytes.weights + resident.bytes.kv, 0);
  EXPECT_EQ(resident.simulated->running, resident.mix.chosen.sequences);
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
