#ifndef HYBRIDSERVE_SCHEDULER_POLICY_HYBRID_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_HYBRID_POLICY_H_

#include "absl/strings/string_view.h"
#include "scheduler/policy/policy.h"

namespace hybridserve {

// The ACT share that makes a layer's link and compute times equal, in closed
// form from the rates that the worker measured (layer_time.h).
//
// Thread-safe.
class HybridPolicy final : public Policy {
 public:
  absl::string_view name() const override { return "hybrid"; }
  CacheMix ChooseMix(const CostInputs& costs, const Capacities& capacities,
                     const Workload& workload) const override;
  double MaxActRatio(const CostInputs& costs) const override;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_HYBRID_POLICY_H_
