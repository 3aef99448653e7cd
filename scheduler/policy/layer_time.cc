#include "scheduler/policy/layer_time.h"

namespace hybridserve {
namespace {

// A half-slot holds block_tokens rows of K or of V.
double DevicePoolBytes(const CostInputs& costs, const Capacities& capacities) {
  return static_cast<double>(capacities.device_half_slots) *
         capacities.block_tokens * costs.kv_bytes_per_token / 2;
}

}  // namespace

LayerTime PredictLayerTime(const CostInputs& costs,
                           const Capacities& capacities,
                           const Workload& workload, double act_ratio) {
  const double saved = costs.kv_bytes_per_token - costs.act_bytes_per_token;
  const double cache =
      workload.context_tokens * (costs.kv_bytes_per_token - saved * act_ratio);
  const double host_cache =
      std::max(0.0, cache - DevicePoolBytes(costs, capacities));
  return {
      .link = (costs.weight_bytes + host_cache) / costs.link_bytes_per_second,
      .compute = (workload.sequences * costs.forward_flops_per_token +
                  workload.context_tokens * act_ratio *
                      costs.rebuild_flops_per_token) /
                 costs.flops_per_second};
}

double BestActRatio(const CostInputs& costs, const Capacities& capacities,
                    const Workload& workload) {
  const double n = workload.context_tokens;
  const double saved = costs.kv_bytes_per_token - costs.act_bytes_per_token;
  const double host_cache =
      n * costs.kv_bytes_per_token - DevicePoolBytes(costs, capacities);
  if (n <= 0 || saved <= 0 || host_cache <= 0) return 0;

  const double link = (costs.weight_bytes + host_cache) /
                      costs.link_bytes_per_second;  // At a = 0.
  const double compute = workload.sequences * costs.forward_flops_per_token /
                         costs.flops_per_second;  // At a = 0.
  const double per_share =
      n * (costs.rebuild_flops_per_token / costs.flops_per_second +
           saved / costs.link_bytes_per_second);
  if (link <= compute || per_share <= 0) return 0;
  const double balanced = (link - compute) / per_share;
  const double nothing_on_host = host_cache / (n * saved);
  return std::min({balanced, nothing_on_host, 1.0});
}

}  // namespace hybridserve
