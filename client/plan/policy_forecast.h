#ifndef HYBRIDSERVE_CLIENT_PLAN_POLICY_FORECAST_H_
#define HYBRIDSERVE_CLIENT_PLAN_POLICY_FORECAST_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/bench/bench_runner.h"
#include "client/simulation/simulation.h"
#include "common/model_config.h"
#include "common/worker_info.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/flexgen_forms.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// What a policy would do with a load, and how fast: by its formulas, and by a
// run of scheduler and engine against each other on virtual clocks.
struct PolicyForecast {
  BenchPolicy policy;
  std::optional<int64_t> batch_requested;  // Unset: as many as is best.
  int64_t prompt_tokens = 0;
  int64_t output_tokens = 0;
  // `mix.chosen` is the average decode step of what runs; no sequences: not one
  // fits, or no such worker does, as `mix.reason` then says.
  CacheMix mix;
  StepBytes bytes;  // Of that step.
  // Unset: nothing fits, or it would take too long.
  std::optional<SimulationResult> simulated;
  // Of policy flexgen: what FlexGen's own program would choose, and expect.
  std::optional<FlexGenForms> flexgen;

  bool fits() const { return mix.chosen.sequences > 0; }
  double predicted_tokens_per_s() const {
    return fits() ? 1 / mix.chosen.seconds_per_token() : 0;
  }
  // Of the decode phase; unset without one.
  std::optional<double> simulated_tokens_per_s() const;
};

// The sequences that such requests are to a policy. `batch` unset: as many as
// the scheduler lets run.
Workload WorkloadOf(const SimulatedLoad& load,
                    const SchedulerOptions& scheduler);

// The formulas' part: `mix` and `bytes` alone. Pure.
PolicyForecast PredictPolicy(const CostModel& costs,
                             const Capacities& capacities,
                             const Workload& workload, const Policy& policy);

// What such pools hold.
Capacities CapacitiesOf(absl::Span<const PoolInfo> pools);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_PLAN_POLICY_FORECAST_H_
