#include "scheduler/policy/hybrid_policy.h"

#include <cmath>

#include "absl/strings/str_format.h"
#include "scheduler/policy/layer_time.h"

namespace hybridserve {

CacheMix HybridPolicy::ChooseMix(const CostInputs& costs,
                                 const Capacities& capacities,
                                 const Workload& workload) const {
  if (!costs.act_pays) return {0, std::string{kActDoesNotPay}};
  if (std::isinf(costs.link_bytes_per_second)) {
    return {0, "host and device are one memory: no link to relieve"};
  }
  if (!(costs.link_bytes_per_second > 0) || !(costs.flops_per_second > 0)) {
    return {0, "the worker measured no rates"};
  }
  const double ratio = BestActRatio(costs, capacities, workload);
  const LayerTime kv = PredictLayerTime(costs, capacities, workload, 0);
  const LayerTime best = PredictLayerTime(costs, capacities, workload, ratio);
  const char* binds = ratio == 0                         ? "no ACT pays"
                      : best.link > best.compute * 1.001 ? "the link binds"
                                                         : "balanced";
  return {ratio,
          absl::StrFormat("%s: a layer's link %.3g ms, compute %.3g ms; with "
                          "kv link %.3g ms, compute %.3g ms",
                          binds, best.link * 1e3, best.compute * 1e3,
                          kv.link * 1e3, kv.compute * 1e3)};
}

double HybridPolicy::MaxActRatio(const CostInputs& costs) const {
  return costs.act_pays ? 1 : 0;
}

}  // namespace hybridserve
