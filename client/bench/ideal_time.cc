#include "client/bench/ideal_time.h"

namespace hybridserve {
namespace {

const v1::WorkCost* FindCost(const v1::WorkerProfile& profile,
                             v1::WorkKind kind) {
  for (const v1::WorkCost& cost : profile.costs()) {
    if (cost.kind() == kind) return &cost;
  }
  return nullptr;
}

// Zero where there is none.
v1::WorkTotals FindWork(const v1::WorkerTotals& totals, v1::WorkKind kind) {
  for (const v1::WorkTotals& work : totals.work()) {
    if (work.kind() == kind) return work;
  }
  return v1::WorkTotals();
}

bool IsSmall(v1::WorkKind kind) {
  return kind == v1::WORK_KIND_INPUTS || kind == v1::WORK_KIND_RESULTS ||
         kind == v1::WORK_KIND_OTHER;
}

// Where work of that kind adds up.
double& StreamOf(v1::WorkKind kind, StreamSeconds& seconds) {
  switch (kind) {
    case v1::WORK_KIND_WEIGHTS:
    case v1::WORK_KIND_KV:
    case v1::WORK_KIND_ACT:
    case v1::WORK_KIND_INPUTS:
      return seconds.copy_in;
    case v1::WORK_KIND_WRITE_BACK:
    case v1::WORK_KIND_RESULTS:
      return seconds.copy_out;
    default:
      return seconds.compute;
  }
}

}  // namespace

void KindSeconds::ScaleBy(double factor) {
  pieces *= factor;
  units *= factor;
  in_steps *= factor;
  if (alone.has_value()) *alone *= factor;
}

std::vector<KindSeconds> SecondsByKind(const v1::WorkerProfile& profile,
                                       const v1::WorkerTotals& before,
                                       const v1::WorkerTotals& after) {
  std::vector<KindSeconds> kinds;
  for (const v1::WorkTotals& work : after.work()) {
    const v1::WorkTotals earlier = FindWork(before, work.kind());
    KindSeconds seconds = {
        .kind = work.kind(),
        .pieces = static_cast<double>(work.count()) -
                  static_cast<double>(earlier.count()),
        .units = work.units() - earlier.units(),
        .in_steps = work.busy_seconds() - earlier.busy_seconds()};
    if (seconds.pieces <= 0) continue;
    const v1::WorkCost* const cost = FindCost(profile, work.kind());
    if (cost != nullptr) {
      seconds.alone = cost->fixed_seconds() * seconds.pieces +
                      cost->seconds_per_unit() * seconds.units;
    }
    kinds.push_back(seconds);
  }
  return kinds;
}

std::optional<StreamSeconds> IdealSeconds(absl::Span<const KindSeconds> kinds) {
  StreamSeconds seconds;
  for (const KindSeconds& kind : kinds) {
    if (kind.alone.has_value()) {
      StreamOf(kind.kind, seconds) += *kind.alone;
    } else if (!IsSmall(kind.kind)) {
      return std::nullopt;
    }
  }
  return seconds;
}

v1::WorkerProfile MeanCosts(absl::Span<const v1::WorkerProfile> profiles) {
  v1::WorkerProfile mean;
  if (profiles.empty()) return mean;
  const double share = 1.0 / static_cast<double>(profiles.size());
  for (const v1::WorkCost& first : profiles[0].costs()) {
    v1::WorkCost& cost = *mean.add_costs();
    cost.set_kind(first.kind());
    for (const v1::WorkerProfile& profile : profiles) {
      const v1::WorkCost* const other = FindCost(profile, first.kind());
      if (other == nullptr) return v1::WorkerProfile();
      cost.set_fixed_seconds(cost.fixed_seconds() +
                             share * other->fixed_seconds());
      cost.set_seconds_per_unit(cost.seconds_per_unit() +
                                share * other->seconds_per_unit());
    }
  }
  return mean;
}

}  // namespace hybridserve
