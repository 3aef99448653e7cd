#ifndef HYBRIDSERVE_SCHEDULER_POLICY_PROFILE_TRACKER_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_PROFILE_TRACKER_H_

#include <cstdint>

#include "absl/time/time.h"
#include "common/work.h"
#include "common/work_profile.h"
#include "scheduler/policy/work_estimator.h"

namespace hybridserve {

// Follows what a worker's work really costs: starts from what it measured alone
// and takes each step's totals in, a kind at a time (work_estimator.h).
//
// Thread-compatible.
class ProfileTracker {
 public:
  // Steps without a kind of work after which its costs count as unknown.
  static constexpr int64_t kUnusedSteps = 16;

  explicit ProfileTracker(const WorkProfile& registered);

  // Of one step, in order.
  void Add(const PerWorkKind<WorkTotals>& work);

  // The registered profile with the lines of now. Its samples stay.
  const WorkProfile& profile() const { return profile_; }

  // None of it was done in the last kUnusedSteps steps or since the start.
  bool IsUnused(WorkKind kind) const {
    return steps_ - last_used_[kind] >= kUnusedSteps;
  }

 private:
  WorkProfile profile_;
  PerWorkKind<WorkEstimator> estimators_;
  PerWorkKind<int64_t> last_used_;  // 0: never.
  int64_t steps_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_PROFILE_TRACKER_H_
