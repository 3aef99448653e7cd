#ifndef HYBRIDSERVE_SCHEDULER_POLICY_WORK_ESTIMATOR_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_WORK_ESTIMATOR_H_

#include <array>

#include "common/linear_cost.h"
#include "common/work.h"

namespace hybridserve {

// The line that pieces of one kind of work follow, from steps' totals:
//   busy = count * fixed + units * seconds_per_unit,
// by least squares of relative errors with forgetting, both non-negative. Where
// steps differ too little to tell the two apart, they move together. A step far
// off what its neighbours say (the machine was busy) is left out, until most of
// the last few say the same.
//
// Thread-compatible.
class WorkEstimator {
 public:
  WorkEstimator() = default;  // Free until told otherwise.
  explicit WorkEstimator(const LinearCost& start) : cost_(start) {}

  // count > 0, units > 0, busy > 0.
  void Add(const WorkTotals& totals);

  const LinearCost& cost() const { return cost_; }

 private:
  // Steps whose median says what is usual.
  static constexpr int kWindow = 5;

  // Of the last steps and this one.
  double UsualRatio(double ratio);

  LinearCost cost_;
  // Sums over steps of products of count / busy, units / busy and 1.
  double count_count_ = 0;
  double count_units_ = 0;
  double units_units_ = 0;
  double count_one_ = 0;
  double units_one_ = 0;
  double weight_ = 0;
  // Busy time over that predicted at the time, of the last steps.
  std::array<double, kWindow> ratios_ = {1, 1, 1, 1, 1};
  int next_ratio_ = 0;
  double first_inertia_ = 1;  // Falls from step to step.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_WORK_ESTIMATOR_H_
