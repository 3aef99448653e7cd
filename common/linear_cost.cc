#include "common/linear_cost.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/status_macros.h"

// The constrained fit is exact: the sum of squares is convex, so where the free
// minimum leaves the quadrant fixed >= 0, per_unit >= 0, the minimum lies on
// the edge that it left by.

namespace hybridserve {
namespace {

struct Means {
  double units = 0;
  double seconds = 0;
};

absl::Status CheckSamples(absl::Span<const CostSample> samples) {
  bool varies = false;
  for (const CostSample& sample : samples) {
    if (!std::isfinite(sample.units) || sample.units < 0 ||
        sample.duration < absl::ZeroDuration() ||
        sample.duration == absl::InfiniteDuration()) {
      return absl::InvalidArgumentError(
          absl::StrCat("cost sample of ", sample.units, " units took ",
                       absl::FormatDuration(sample.duration)));
    }
    varies |= sample.units != samples[0].units;
  }
  if (!varies) {
    return absl::InvalidArgumentError(
        absl::StrCat("a line needs two different sizes; got ", samples.size(),
                     " samples of one size"));
  }
  return absl::OkStatus();
}

Means MeansOf(absl::Span<const CostSample> samples) {
  Means means;
  for (const CostSample& sample : samples) {
    means.units += sample.units;
    means.seconds += absl::ToDoubleSeconds(sample.duration);
  }
  means.units /= static_cast<double>(samples.size());
  means.seconds /= static_cast<double>(samples.size());
  return means;
}

}  // namespace

absl::StatusOr<LinearCost> FitLinearCost(absl::Span<const CostSample> samples) {
  RETURN_IF_ERROR(CheckSamples(samples));
  const Means means = MeansOf(samples);
  double var_units = 0;
  double var_seconds = 0;
  double covariance = 0;
  double sum_units_squared = 0;
  double sum_product = 0;
  for (const CostSample& sample : samples) {
    const double seconds = absl::ToDoubleSeconds(sample.duration);
    const double du = sample.units - means.units;
    const double ds = seconds - means.seconds;
    var_units += du * du;
    var_seconds += ds * ds;
    covariance += du * ds;
    sum_units_squared += sample.units * sample.units;
    sum_product += sample.units * seconds;
  }

  double per_unit = covariance / var_units;
  double fixed = means.seconds - per_unit * means.units;
  if (per_unit < 0) {
    per_unit = 0;
    fixed = means.seconds;
  } else if (fixed < 0) {
    fixed = 0;
    per_unit = sum_product / sum_units_squared;
  }

  double residual = 0;
  for (const CostSample& sample : samples) {
    const double error = absl::ToDoubleSeconds(sample.duration) -
                         (fixed + per_unit * sample.units);
    residual += error * error;
  }
  LinearCost cost = {.fixed = absl::Seconds(fixed),
                     .seconds_per_unit = per_unit};
  // By rounding, a line that explains nothing comes to a little less than 0.
  if (var_seconds > 0) {
    cost.r_squared = std::max(0.0, 1 - residual / var_seconds);
  }
  return cost;
}

}  // namespace hybridserve
