#ifndef HYBRIDSERVE_CLIENT_PLAN_PLAN_RUNNER_H_
#define HYBRIDSERVE_CLIENT_PLAN_PLAN_RUNNER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/bench/bench_runner.h"
#include "client/plan/policy_forecast.h"
#include "common/worker_info.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/policy/policy.h"
#include "worker/memory_plan.h"
#include "worker/worker_options.h"

namespace hybridserve {

// What to plan for.
struct PlanOptions {
  // `batch`, `policies`, `prompt_tokens` and `output_tokens` count.
  BenchOptions load;
  WorkerOptions worker;
  SchedulerOptions scheduler;
};

// A worker as it registers, and its memory.
struct PlannedWorker {
  WorkerInfo info;
  MemoryPlan memory;
  ModelConfig config;
};

using MakePolicy =
    std::function<absl::StatusOr<std::unique_ptr<Policy>>(const BenchPolicy&)>;

// Forecasts for every prompt length and policy, in the order of the options.
// InvalidArgument naming the flag if the model takes no such requests, and the
// errors of `make_policy` and Simulate().
absl::StatusOr<std::vector<PolicyForecast>> ForecastAll(
    const PlanOptions& options, const PlannedWorker& worker,
    const MakePolicy& make_policy);

// The one that makes a token in the least predicted time; null if nothing fits.
const PolicyForecast* Fastest(const std::vector<PolicyForecast>& forecasts);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_PLAN_PLAN_RUNNER_H_
