#ifndef HYBRIDSERVE_SCHEDULER_POLICY_HYBRID_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_HYBRID_POLICY_H_

#include "absl/strings/string_view.h"
#include "scheduler/policy/policy.h"

namespace hybridserve {

// Kinds, tiers and the number of running sequences as they make the predicted
// time per token least (mix_search.h): kv and act are points of that space.
// Prompts ride in the compute slack of each step (prefill_chunk.h).
//
// Thread-safe.
class HybridPolicy final : public Policy {
 public:
  absl::string_view name() const override { return "hybrid"; }
  CacheMix ChooseMix(const CostModel& costs, const Capacities& capacities,
                     const Workload& workload) const override;
  double MaxActRatio(const CostModel& costs) const override;
  bool probes() const override { return true; }
  bool converts() const override { return true; }
  StepRoster Plan(const StepSnapshot& snapshot,
                  const CacheMix& mix) const override;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_HYBRID_POLICY_H_
