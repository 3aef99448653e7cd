#ifndef HYBRIDSERVE_COMMON_LINEAR_COST_H_
#define HYBRIDSERVE_COMMON_LINEAR_COST_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace hybridserve {

// What `units` of something (bytes, rows) took, measured.
struct CostSample {
  double units = 0;
  absl::Duration duration;
};

// duration = fixed + per_unit * units: how transfers and GEMMs behave beyond
// very small sizes. Plain data; the worker measures, the scheduler decides.
struct LinearCost {
  absl::Duration fixed;
  double seconds_per_unit = 0;
  // How much of the samples' variance the line explains (coefficient of
  // determination): 1 is a perfect fit, 0 no better than their mean.
  double r_squared = 1;

  absl::Duration At(double units) const {
    return fixed + absl::Seconds(seconds_per_unit * units);
  }
};

// Least squares over `samples`. Neither coefficient is negative: where the best
// line has a negative one, it is 0 and the other fitted alone. InvalidArgument
// unless there are two different, non-negative, finite sizes and all durations
// are finite and non-negative.
absl::StatusOr<LinearCost> FitLinearCost(absl::Span<const CostSample> samples);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_LINEAR_COST_H_
