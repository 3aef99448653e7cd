#include "worker/profile/work_timer.h"

#include <algorithm>
#include <cmath>

#include "common/linear_cost.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

constexpr int kMaxRuns = 9;
constexpr absl::Duration kEnoughForOneSize = absl::Milliseconds(60);
constexpr absl::Duration kSlow = absl::Milliseconds(250);

// Busy time of one piece, the stream idle before and after.
absl::StatusOr<absl::Duration> TimeOnce(Stream& stream, WorkKind kind,
                                        int64_t size, double units,
                                        QueueWork queue) {
  const absl::Duration before = stream.work()[kind].busy;
  stream.Begin({.kind = kind, .units = units});
  RETURN_IF_ERROR(queue(size));
  RETURN_IF_ERROR(stream.Synchronize());
  return stream.work()[kind].busy - before;
}

absl::StatusOr<absl::Duration> TimeSize(Stream& stream, WorkKind kind,
                                        int64_t size, double units,
                                        QueueWork queue) {
  RETURN_IF_ERROR(TimeOnce(stream, kind, size, units, queue).status());
  std::vector<absl::Duration> runs;
  absl::Duration sum;
  for (int i = 0; i < kMaxRuns && (i < 3 || sum < kEnoughForOneSize); ++i) {
    ASSIGN_OR_RETURN(const absl::Duration took,
                     TimeOnce(stream, kind, size, units, queue));
    runs.push_back(took);
    sum += took;
    if (took > kSlow) break;
  }
  std::nth_element(runs.begin(),
                   runs.begin() + static_cast<int64_t>(runs.size() / 2),
                   runs.end());
  return runs[runs.size() / 2];
}

}  // namespace

absl::StatusOr<WorkFit> TimeWork(
    Stream& stream, WorkKind kind, absl::Span<const int64_t> sizes,
    absl::FunctionRef<double(int64_t size)> units_of, QueueWork queue) {
  WorkFit fit;
  for (const int64_t size : sizes) {
    const double units = units_of(size);
    ASSIGN_OR_RETURN(const absl::Duration took,
                     TimeSize(stream, kind, size, units, queue));
    fit.samples.push_back({.units = units, .duration = took});
    if (took > kSlow && fit.samples.size() >= 2) break;
  }
  if (fit.samples.size() == 1) {
    const CostSample& sample = fit.samples[0];
    fit.cost.seconds_per_unit =
        absl::ToDoubleSeconds(sample.duration) / std::max(sample.units, 1.0);
  } else if (!fit.samples.empty()) {
    ASSIGN_OR_RETURN(fit.cost, FitLinearCost(fit.samples));
  }
  return fit;
}

std::vector<int64_t> SpacedSizes(int64_t most, int count) {
  std::vector<int64_t> sizes;
  for (int i = 0; i < count && most >= 1; ++i) {
    const double exponent =
        count == 1 ? 1 : static_cast<double>(i) / (count - 1);
    const auto size = static_cast<int64_t>(
        std::llround(std::pow(static_cast<double>(most), exponent)));
    if (sizes.empty() || size > sizes.back()) sizes.push_back(size);
  }
  return sizes;
}

}  // namespace hybridserve
