#ifndef HYBRIDSERVE_SCHEDULER_POLICY_FIXED_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_FIXED_POLICY_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "scheduler/policy/policy.h"

namespace hybridserve {

// The same ACT share whatever the load: the baselines `kv` (0) and `act` (1),
// and `hybrid` with `--act_ratio`. On models where ACT doesn't pay the share is
// 0: their cache slots hold K and V only.
//
// Thread-safe.
class FixedPolicy : public Policy {
 public:
  // `act_ratio` in [0, 1].
  FixedPolicy(std::string name, double act_ratio, std::string reason);

  absl::string_view name() const final { return name_; }
  CacheMix ChooseMix(const CostModel& costs, const Capacities& capacities,
                     const Workload& workload) const final;
  double MaxActRatio(const CostModel& costs) const final;

 private:
  const std::string name_;
  const double act_ratio_;
  const std::string reason_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_FIXED_POLICY_H_
