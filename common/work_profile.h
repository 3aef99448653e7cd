#ifndef HYBRIDSERVE_COMMON_WORK_PROFILE_H_
#define HYBRIDSERVE_COMMON_WORK_PROFILE_H_

#include <vector>

#include "absl/time/time.h"
#include "common/linear_cost.h"
#include "common/work.h"

namespace hybridserve {

// How long pieces of one kind take, and what that is known from.
struct WorkFit {
  LinearCost cost;                  // Of one piece, by its units.
  std::vector<CostSample> samples;  // Empty: free, or never measured.
};

// What a worker's device and link can do: each kind of work alone. The worker
// measures it, the planner and the simulated device go by it. Plain data.
struct WorkProfile {
  PerWorkKind<WorkFit> fits;

  const LinearCost& cost(WorkKind kind) const { return fits[kind].cost; }
  // `count` pieces of `units` in all.
  absl::Duration Predict(WorkKind kind, double count, double units) const {
    const LinearCost& line = cost(kind);
    return count * line.fixed + absl::Seconds(line.seconds_per_unit * units);
  }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WORK_PROFILE_H_
