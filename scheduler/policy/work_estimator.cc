#include "scheduler/policy/work_estimator.h"

#include <algorithm>
#include <cmath>

#include "absl/time/time.h"
#include "glog/logging.h"

// The new line minimises
//   sum of kForget^age (1 - (a count + c units) / busy)^2
//     + inertia / 2 (((a - a') mean count / busy)^2 / A
//                    + ((c - c') mean units / busy)^2 / C)
// where a', c' are the line so far and A, C their shares of the time. Along
// what the steps tell apart the sum is far larger than the inertia and the line
// is theirs at once; across it the line stays, and creeps towards what little
// they say: both coefficients grow or shrink by the same factor. (Steps of a
// few rows say next to nothing of a row's cost, on which a prompt's chunk
// depends.) The first few steps tell little, so inertia is larger then. The
// line does not change what the sums hold, so nothing can swing. Where the line
// has become wrong as a rule, what it was made from is forgotten faster.

namespace hybridserve {
namespace {

constexpr double kForget = 0.93;
constexpr double kInertia = 0.02;
constexpr double kInertiaDecay = 0.8;
// A coefficient that was thought to be free could otherwise never become dear.
constexpr double kLeastShare = 0.02;
// How far the usual ratio of busy to predicted may be off 1.
constexpr double kWrong = 1.3;
// How far off the usual ratio a step's may be.
constexpr double kOutlier = 2.5;

}  // namespace

double WorkEstimator::UsualRatio(double ratio) {
  ratios_[next_ratio_] = ratio;
  next_ratio_ = (next_ratio_ + 1) % kWindow;
  std::array<double, kWindow> sorted = ratios_;
  std::nth_element(sorted.begin(), sorted.begin() + kWindow / 2, sorted.end());
  return sorted[kWindow / 2];
}

void WorkEstimator::Add(const WorkTotals& totals) {
  const double busy = absl::ToDoubleSeconds(totals.busy);
  CHECK(totals.count > 0 && totals.units > 0 && busy > 0)
      << totals.count << " pieces of " << totals.units << " units took "
      << totals.busy;
  double fixed = absl::ToDoubleSeconds(cost_.fixed);
  double per_unit = cost_.seconds_per_unit;
  const double count = static_cast<double>(totals.count) / busy;
  const double units = totals.units / busy;
  const double predicted = fixed * count + per_unit * units;  // Over busy.
  double forget = kForget;
  if (predicted <= 0) {
    per_unit = 1 / units;  // Nothing was known.
  } else {
    const double ratio = 1 / predicted;
    const double usual = UsualRatio(ratio);
    if (std::max(ratio / usual, usual / ratio) > kOutlier) return;
    const double wrong = std::max(usual, 1 / usual);
    if (wrong > kWrong) forget /= wrong;
  }

  for (double* sum : {&count_count_, &count_units_, &units_units_, &count_one_,
                      &units_one_, &weight_}) {
    *sum *= forget;
  }
  count_count_ += count * count;
  count_units_ += count * units;
  units_units_ += units * units;
  count_one_ += count;
  units_one_ += units;
  weight_ += 1;

  // Normal equations, with the inertia on the diagonal.
  const double inertia = kInertia + first_inertia_;
  first_inertia_ *= kInertiaDecay;
  const double fixed_part = fixed * std::sqrt(count_count_ / weight_);
  const double unit_part = per_unit * std::sqrt(units_units_ / weight_);
  const auto stay = [&](double mean_square, double part) {
    const double share = part / (fixed_part + unit_part);
    return inertia * mean_square / (2 * std::max(share, kLeastShare));
  };
  const double stay_fixed = stay(count_count_ / weight_, fixed_part);
  const double stay_per_unit = stay(units_units_ / weight_, unit_part);
  const double cc = count_count_ + stay_fixed;
  const double uu = units_units_ + stay_per_unit;
  const double c1 = count_one_ + stay_fixed * fixed;
  const double u1 = units_one_ + stay_per_unit * per_unit;
  const double determinant = cc * uu - count_units_ * count_units_;
  fixed = (c1 * uu - u1 * count_units_) / determinant;
  per_unit = (u1 * cc - c1 * count_units_) / determinant;
  if (fixed < 0) {
    fixed = 0;
    per_unit = u1 / uu;
  } else if (per_unit < 0) {
    per_unit = 0;
    fixed = c1 / cc;
  }
  cost_.fixed = absl::Seconds(fixed);
  cost_.seconds_per_unit = per_unit;
}

}  // namespace hybridserve
