#ifndef HYBRIDSERVE_SCHEDULER_POLICY_RECOMPUTE_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_RECOMPUTE_POLICY_H_

#include "scheduler/policy/policy.h"

namespace hybridserve {

// The baseline `recompute`: keys and values, but for a prefix of each sequence,
// a fixed share of its blocks, of which nothing is kept. It runs through all
// layers again in every step (PAPER.md 1.1, figure 4).
//
// Thread-safe.
class RecomputePolicy final : public Policy {
 public:
  // `ratio` in [0, 1].
  explicit RecomputePolicy(double ratio);

  absl::string_view name() const override { return "recompute"; }
  CacheMix ChooseMix(const CostModel& costs, const Capacities& capacities,
                     const Workload& workload) const override;
  double MaxActRatio(const CostModel& /*costs*/) const override { return 0; }
  double recompute_ratio() const override { return ratio_; }
  absl::Status CheckWorker(const WorkerInfo& worker,
                           const ModelConfig& config) const override;

 private:
  const double ratio_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_RECOMPUTE_POLICY_H_
