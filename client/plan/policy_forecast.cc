#include "client/plan/policy_forecast.h"

#include <algorithm>

#include "absl/time/time.h"
#include "common/cache/block_ref.h"
#include "scheduler/policy/decode_prediction.h"
#include "scheduler/policy/mix_search.h"

namespace hybridserve {
namespace {

// What runs: a policy that bounds nothing runs all that fit, though fewer might
// be faster. Where tokens are recomputed, or steps don't overlap, the policy
// has counted what fits.
MixPoint RunningPoint(const CostModel& costs, const Capacities& capacities,
                      const Workload& workload, const Policy& policy,
                      const CacheMix& mix) {
  if (mix.max_sequences != INT64_MAX || policy.recompute_ratio() > 0 ||
      policy.schedule() != StepSchedule::kOverlapped) {
    return mix.chosen;
  }
  const ActShares share = {mix.act_ratio, mix.act_ratio};
  for (int64_t n = workload.sequences; n > mix.chosen.sequences; --n) {
    MixPoint point = BestPlacement(costs, capacities, workload, share, n);
    if (point.sequences > 0) return point;
  }
  return mix.chosen;
}

}  // namespace

std::optional<double> PolicyForecast::simulated_tokens_per_s() const {
  if (!simulated.has_value() || simulated->decode_steps == 0) {
    return std::nullopt;
  }
  return static_cast<double>(simulated->running) /
         absl::ToDoubleSeconds(simulated->decode_step());
}

Workload WorkloadOf(const SimulatedLoad& load,
                    const SchedulerOptions& scheduler) {
  const auto prompt = static_cast<double>(load.prompt_tokens);
  const auto output = static_cast<double>(load.output_tokens);
  return {.sequences = std::min(load.requests, scheduler.max_running),
          .context_tokens = prompt + output / 2,
          .final_tokens = prompt + output,
          .max_step_time = scheduler.max_step_time};
}

PolicyForecast PredictPolicy(const CostModel& costs,
                             const Capacities& capacities,
                             const Workload& workload, const Policy& policy) {
  PolicyForecast forecast = {.mix =
                                 policy.ChooseMix(costs, capacities, workload)};
  forecast.mix.chosen =
      RunningPoint(costs, capacities, workload, policy, forecast.mix);
  if (!forecast.fits()) return forecast;
  forecast.bytes =
      PredictDecodeBytes(costs, workload, forecast.mix.chosen.sequences,
                         forecast.mix.chosen.blocks);
  return forecast;
}

Capacities CapacitiesOf(absl::Span<const PoolInfo> pools) {
  Capacities capacities;
  for (const PoolInfo& pool : pools) {
    (pool.tier == Tier::kDevice ? capacities.device_half_slots
                                : capacities.host_half_slots) +=
        pool.half_slots;
  }
  return capacities;
}

}  // namespace hybridserve
