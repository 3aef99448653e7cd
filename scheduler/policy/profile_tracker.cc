#include "scheduler/policy/profile_tracker.h"

namespace hybridserve {

ProfileTracker::ProfileTracker(const WorkProfile& registered)
    : profile_(registered) {
  for (const WorkKind kind : kAllWorkKinds) {
    estimators_[kind] = WorkEstimator(registered.cost(kind));
  }
}

void ProfileTracker::Add(const PerWorkKind<WorkTotals>& work) {
  ++steps_;
  for (const WorkKind kind : kAllWorkKinds) {
    const WorkTotals& totals = work[kind];
    if (totals.count <= 0 || totals.units <= 0) continue;
    last_used_[kind] = steps_;
    if (totals.busy <= absl::ZeroDuration()) continue;
    estimators_[kind].Add(totals);
    LinearCost& cost = profile_.fits[kind].cost;
    cost.fixed = estimators_[kind].cost().fixed;
    cost.seconds_per_unit = estimators_[kind].cost().seconds_per_unit;
  }
}

}  // namespace hybridserve
