#include "client/plan/policy_forecast.h"

#include <algorithm>

#include "absl/time/time.h"
#include "common/cache/block_ref.h"
#include "scheduler/policy/decode_prediction.h"

namespace hybridserve {

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
  if (!forecast.fits()) return forecast;
  forecast.bytes =
      PredictDecodeBytes(costs, workload, forecast.mix.chosen.sequences,
                         forecast.mix.chosen.blocks);
  return forecast;
}

Capacities CapacitiesOf(const WorkerInfo& info) {
  Capacities capacities;
  for (const PoolInfo& pool : info.pools) {
    (pool.tier == Tier::kDevice ? capacities.device_half_slots
                                : capacities.host_half_slots) +=
        pool.half_slots;
  }
  return capacities;
}

}  // namespace hybridserve
