#ifndef HYBRIDSERVE_SCHEDULER_POLICY_LAYER_TIME_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_LAYER_TIME_H_

#include <algorithm>

#include "scheduler/policy/cache_mix.h"

namespace hybridserve {

// Predicted time of one decoder layer in one decode step, in seconds. Link and
// compute overlap, so the layer takes the longer one.
struct LayerTime {
  double link = 0;
  double compute = 0;

  double step() const { return std::max(link, compute); }
};

// PAPER.md 4.4, generalised to any model and to a device pool that is filled
// first. With N tokens of context, B sequences and an ACT share a:
//   link    = [weights + max(0, N (kv - (kv - act) a) - device pool)] / BW
//   compute = [B forward + N a rebuild] / F
LayerTime PredictLayerTime(const CostInputs& costs,
                           const Capacities& capacities,
                           const Workload& workload, double act_ratio);

// The share that makes PredictLayerTime(...).step() least; the smallest such
// share. Exact: link falls and compute rises linearly in a, so it is where they
// meet (a* of PAPER.md 4.4), clipped to [0, 1] and to the share from which
// nothing of the cache is left on the host. The rates are positive.
double BestActRatio(const CostInputs& costs, const Capacities& capacities,
                    const Workload& workload);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_LAYER_TIME_H_
