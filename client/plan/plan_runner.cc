#include "client/plan/plan_runner.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/policy_worker.h"
#include "common/status_macros.h"
#include "worker/device/sim/sim_clock.h"

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

// The same memory and costs, without the weights; set up as `wanted`, the
// worker that a policy would be given.
SimulatedWorkerOptions Simulated(const PlanOptions& options,
                                 const PlannedWorker& worker,
                                 const WorkerOptions& wanted) {
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
      .recompute_tokens = wanted.recompute_tokens,
      .resident_weights = wanted.resident_weights,
      .staging_memory_bytes = int64_t{memory.staging_areas} *
                              memory.staging_half_slots *
                              memory.half_slot_bytes,
      .weight_buffers = options.worker.weight_buffers,
      .block_tokens = options.worker.block_tokens,
      .one_memory = memory.one_memory,
      .unpinned_cache = options.worker.unpinned_cache,
      .max_running = options.worker.max_running};
  if (!memory.one_memory &&
      simulated.device_memory.choice != MemorySetting::Choice::kMin) {
    simulated.device_memory = MemorySetting::Bytes(memory.device_limit);
  }
  return simulated;
}

// What such a worker registers. The errors of its memory plan, and of a policy
// that cannot use it.
absl::StatusOr<WorkerInfo> InfoOf(const SimulatedWorkerOptions& options,
                                  const ModelConfig& config,
                                  const Policy& policy) {
  SimClock clock;
  ASSIGN_OR_RETURN(const auto worker, SimulatedWorker::Create(options, clock));
  RETURN_IF_ERROR(policy.CheckWorker(worker->info(), config));
  return worker->info();
}

// What FlexGen would have to place: the device as it may be used, and of the
// host what holds weights and cache.
FlexGenMachine FlexGenMachineOf(const PlannedWorker& worker) {
  const MemoryPlan& memory = worker.memory;
  const int64_t layer_bytes =
      worker.info.layer_bytes + memory.host_half_slots * memory.half_slot_bytes;
  return {.num_heads = worker.config.num_heads,
          .layer_bytes = worker.info.layer_bytes,
          .device_bytes = memory.device_limit,
          .host_bytes = worker.config.num_layers * layer_bytes,
          .host_attends = worker.info.numerics.backend == "cpu"};
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
  ASSIGN_OR_RETURN(const WorkerOptions wanted,
                   WorkerForBench(options.worker, policy, options.load));
  const SimulatedWorkerOptions simulated = Simulated(options, worker, wanted);
  const absl::StatusOr<WorkerInfo> info =
      InfoOf(simulated, worker.config, *made);
  PolicyForecast forecast;
  if (info.ok()) {
    const CostModel costs = CostModel::Of(*info, worker.config);
    const Workload workload = WorkloadOf(load, scheduler);
    forecast = PredictPolicy(costs, CapacitiesOf(made->UsablePools(*info)),
                             workload, *made);
    if (made->name() == "flexgen" && !worker.memory.one_memory) {
      forecast.flexgen =
          ChooseFlexGenForms(costs, workload, FlexGenMachineOf(worker));
    }
  } else {
    forecast.mix.reason = std::string{info.status().message()};
  }
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
  ASSIGN_OR_RETURN(forecast.simulated,
                   Simulate(simulated, scheduler, std::move(made), load));
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
