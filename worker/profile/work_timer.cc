#include "worker/profile/work_timer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/time/clock.h"
#include "common/linear_cost.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

constexpr size_t kMinRuns = 3;
constexpr size_t kMaxRuns = 9;
constexpr absl::Duration kEnoughForOneSize = absl::Milliseconds(60);
constexpr absl::Duration kSlow = absl::Milliseconds(250);

// Times pieces of one kind.
class PieceTimer {
 public:
  PieceTimer(Stream& stream, WorkKind kind, PrepareWork prepare,
             QueueWork queue)
      : stream_(stream), kind_(kind), prepare_(prepare), queue_(queue) {}

  // Median of some runs.
  absl::StatusOr<absl::Duration> Time(int64_t size, double units) {
    RETURN_IF_ERROR(TimeOnce(size, units).status());
    const absl::Time begin = absl::Now();
    std::vector<absl::Duration> runs;
    while (runs.empty() || WantsMore(runs.size(), absl::Now() - begin)) {
      ASSIGN_OR_RETURN(const absl::Duration took, TimeOnce(size, units));
      runs.push_back(took);
    }
    std::nth_element(runs.begin(),
                     runs.begin() + static_cast<int64_t>(runs.size() / 2),
                     runs.end());
    return runs[runs.size() / 2];
  }

 private:
  // After so many runs, which took so long with what was prepared for them.
  static bool WantsMore(size_t runs, absl::Duration elapsed) {
    if (runs >= kMaxRuns || elapsed > kSlow) return false;
    return runs < kMinRuns || elapsed < kEnoughForOneSize;
  }

  // Busy time of one piece, the stream idle before and after.
  absl::StatusOr<absl::Duration> TimeOnce(int64_t size, double units) {
    RETURN_IF_ERROR(prepare_(size));
    const absl::Duration before = stream_.work()[kind_].busy;
    stream_.Begin({.kind = kind_, .units = units});
    RETURN_IF_ERROR(queue_(size));
    RETURN_IF_ERROR(stream_.Synchronize());
    return stream_.work()[kind_].busy - before;
  }

  Stream& stream_;
  const WorkKind kind_;
  const PrepareWork prepare_;
  const QueueWork queue_;
};

}  // namespace

absl::StatusOr<WorkFit> TimeWork(
    Stream& stream, WorkKind kind, absl::Span<const int64_t> sizes,
    absl::FunctionRef<double(int64_t size)> units_of, PrepareWork prepare,
    QueueWork queue) {
  PieceTimer timer(stream, kind, prepare, queue);
  WorkFit fit;
  for (const int64_t size : sizes) {
    const double units = units_of(size);
    ASSIGN_OR_RETURN(const absl::Duration took, timer.Time(size, units));
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

absl::StatusOr<WorkFit> TimeWork(
    Stream& stream, WorkKind kind, absl::Span<const int64_t> sizes,
    absl::FunctionRef<double(int64_t size)> units_of, QueueWork queue) {
  return TimeWork(
      stream, kind, sizes, units_of, [](int64_t) { return absl::OkStatus(); },
      queue);
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
