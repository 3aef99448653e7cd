#include "client/plan/plan_runner.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

// A simulation goes over every block of every layer in every step; beyond so
// many it is left out. Some seconds.
constexpr double kMostBlockVisits = 2e7;

constexpr int64_t kNoLimitBytes = int64_t{1} << 60;

double BlockVisits(const SimulatedLoad& load, const PlannedWorker& worker,
                   const SchedulerOptions& scheduler) {
  const auto requests = static_cast<double>(load.requests);
  const auto prompt = static_cast<double>(load.prompt_tokens);
  const auto output = static_cast<double>(load.output_tokens);
  const auto chunk = static_cast<double>(std::min<int64_t>(
      scheduler.prefill_chunk_tokens, worker.memory.step.rows));
  const double blocks =
      requests * (prompt + output) / worker.info.numerics.block_tokens;
  return blocks * static_cast<double>(worker.config.num_layers) *
         (output + requests * prompt / chunk / 2);
}

// The same memory and costs, without the weights.
SimulatedWorkerOptions Simulated(const PlanOptions& options,
                                 const PlannedWorker& worker) {
  const MemoryPlan& memory = worker.memory;
  SimulatedWorkerOptions simulated = {
      .config_json = worker.info.files.config_json,
      .description = worker.info.device,
      .profile = worker.info.profile.work,
      .dtype = worker.info.numerics.dtype,
      .device_bytes = kNoLimitBytes,
      .host_bytes = kNoLimitBytes,
      .device_memory = options.worker.device_memory,
      .host_memory =
          MemorySetting::Bytes(memory.host_half_slots * memory.half_slot_bytes *
                               worker.config.num_layers),
      .staging_memory_bytes = int64_t{memory.staging_areas} *
                              memory.staging_half_slots *
                              memory.half_slot_bytes,
      .weight_buffers = options.worker.weight_buffers,
      .block_tokens = options.worker.block_tokens,
      .one_memory = memory.one_memory,
      .max_running = options.worker.max_running};
  if (!memory.one_memory &&
      simulated.device_memory.choice != MemorySetting::Choice::kMin) {
    simulated.device_memory = MemorySetting::Bytes(memory.device_limit);
  }
  return simulated;
}

absl::StatusOr<PolicyForecast> Forecast(const PlanOptions& options,
                                        const PlannedWorker& worker,
                                        const MakePolicy& make_policy,
                                        const BenchPolicy& policy,
                                        SimulatedLoad load) {
  SchedulerOptions scheduler = options.scheduler;
  scheduler.max_running =
      std::min({scheduler.max_running, int64_t{worker.info.max_step_tokens},
                int64_t{worker.info.max_logit_rows}});
  load.requests = options.load.batch.value_or(scheduler.max_running);
  ASSIGN_OR_RETURN(std::unique_ptr<Policy> made, make_policy(policy));
  PolicyForecast forecast = PredictPolicy(
      CostModel::Of(worker.info, worker.config), CapacitiesOf(worker.info),
      WorkloadOf(load, scheduler), *made);
  forecast.policy = policy;
  forecast.batch_requested = options.load.batch;
  forecast.prompt_tokens = load.prompt_tokens;
  forecast.output_tokens = load.output_tokens;
  if (!forecast.fits()) return forecast;
  if (!options.load.batch.has_value()) {
    load.requests = forecast.mix.chosen.sequences;
  }
  if (BlockVisits(load, worker, scheduler) > kMostBlockVisits) return forecast;
  scheduler.max_queue_requests = load.requests;
  scheduler.max_queue_tokens = INT64_MAX;
  ASSIGN_OR_RETURN(
      forecast.simulated,
      Simulate(Simulated(options, worker), scheduler, std::move(made), load));
  return forecast;
}

}  // namespace

absl::StatusOr<std::vector<PolicyForecast>> ForecastAll(
    const PlanOptions& options, const PlannedWorker& worker,
    const MakePolicy& make_policy) {
  std::vector<PolicyForecast> forecasts;
  for (const int64_t prompt_tokens : options.load.prompt_tokens) {
    const int64_t tokens = prompt_tokens + options.load.output_tokens;
    if (tokens > worker.config.max_positions) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--prompt_tokens: ", prompt_tokens, " and ",
          options.load.output_tokens, " --output_tokens are more than the ",
          worker.config.max_positions, " positions of ",
          worker.info.model_name));
    }
    for (const BenchPolicy& policy : options.load.policies) {
      ASSIGN_OR_RETURN(PolicyForecast forecast,
                       Forecast(options, worker, make_policy, policy,
                                {.prompt_tokens = prompt_tokens,
                                 .output_tokens = options.load.output_tokens}));
      forecasts.push_back(std::move(forecast));
    }
  }
  return forecasts;
}

const PolicyForecast* Fastest(const std::vector<PolicyForecast>& forecasts) {
  const PolicyForecast* fastest = nullptr;
  for (const PolicyForecast& forecast : forecasts) {
    if (!forecast.fits()) continue;
    if (fastest == nullptr ||
        forecast.predicted_tokens_per_s() > fastest->predicted_tokens_per_s()) {
      fastest = &forecast;
    }
  }
  return fastest;
}

}  // namespace hybridserve
