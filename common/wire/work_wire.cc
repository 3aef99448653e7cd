#include "common/wire/work_wire.h"

#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

using ::google::protobuf::RepeatedPtrField;

constexpr int kMaxSamples = 64;
// Sums over many steps stay far from overflow.
constexpr double kMax = int64_t{1} << 50;

// The wire's zero is "unspecified".
pb::WorkKind KindToWire(WorkKind kind) {
  static_assert(static_cast<int>(WorkKind::kWeights) + 1 ==
                pb::WORK_KIND_WEIGHTS);
  static_assert(static_cast<int>(WorkKind::kOther) + 1 == pb::WORK_KIND_OTHER);
  return static_cast<pb::WorkKind>(static_cast<int>(kind) + 1);
}

absl::Status CheckNumber(const std::string& field, double value) {
  if (std::isfinite(value) && value >= 0 && value <= kMax) {
    return absl::OkStatus();
  }
  return InvalidFieldError(field, absl::StrCat("is out of range: ", value));
}

// A kind that is known and not among `seen`, which it joins.
absl::StatusOr<WorkKind> TakeKind(const std::string& field, pb::WorkKind wire,
                                  PerWorkKind<bool>& seen) {
  if (wire < pb::WORK_KIND_WEIGHTS || wire > pb::WORK_KIND_OTHER) {
    return InvalidFieldError(absl::StrCat(field, ".kind"),
                             absl::StrCat("unknown value ", wire));
  }
  const auto kind = static_cast<WorkKind>(wire - 1);
  if (seen[kind]) {
    return InvalidFieldError(absl::StrCat(field, ".kind"), "is there twice");
  }
  seen[kind] = true;
  return kind;
}

absl::StatusOr<WorkFit> FitFromWire(const std::string& field,
                                    const pb::WorkCost& wire) {
  RETURN_IF_ERROR(
      CheckNumber(absl::StrCat(field, ".fixed_seconds"), wire.fixed_seconds()));
  RETURN_IF_ERROR(CheckNumber(absl::StrCat(field, ".seconds_per_unit"),
                              wire.seconds_per_unit()));
  if (!(wire.r_squared() >= 0 && wire.r_squared() <= 1)) {
    return InvalidFieldError(
        absl::StrCat(field, ".r_squared"),
        absl::StrCat("is out of range: ", wire.r_squared()));
  }
  if (wire.samples_size() > kMaxSamples) {
    return InvalidFieldError(absl::StrCat(field, ".samples"),
                             absl::StrCat("more than ", kMaxSamples));
  }
  WorkFit fit = {.cost = {.fixed = absl::Seconds(wire.fixed_seconds()),
                          .seconds_per_unit = wire.seconds_per_unit(),
                          .r_squared = wire.r_squared()}};
  for (int i = 0; i < wire.samples_size(); ++i) {
    const pb::WorkSample& sample = wire.samples(i);
    const std::string name = absl::StrCat(field, ".samples[", i, "]");
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(name, ".units"), sample.units()));
    RETURN_IF_ERROR(
        CheckNumber(absl::StrCat(name, ".seconds"), sample.seconds()));
    fit.samples.push_back({sample.units(), absl::Seconds(sample.seconds())});
  }
  return fit;
}

}  // namespace

void WorkProfileToWire(const WorkProfile& profile,
                       RepeatedPtrField<pb::WorkCost>& wire) {
  for (const WorkKind kind : kAllWorkKinds) {
    const WorkFit& fit = profile.fits[kind];
    if (fit.samples.empty() && fit.cost.At(1) == absl::ZeroDuration()) continue;
    pb::WorkCost& cost = *wire.Add();
    cost.set_kind(KindToWire(kind));
    cost.set_fixed_seconds(absl::ToDoubleSeconds(fit.cost.fixed));
    cost.set_seconds_per_unit(fit.cost.seconds_per_unit);
    cost.set_r_squared(fit.cost.r_squared);
    for (const CostSample& sample : fit.samples) {
      pb::WorkSample& added = *cost.add_samples();
      added.set_units(sample.units);
      added.set_seconds(absl::ToDoubleSeconds(sample.duration));
    }
  }
}

absl::StatusOr<WorkProfile> WorkProfileFromWire(
    const std::string& field, const RepeatedPtrField<pb::WorkCost>& wire) {
  WorkProfile profile;
  PerWorkKind<bool> seen;
  for (int i = 0; i < wire.size(); ++i) {
    const std::string name = absl::StrCat(field, "[", i, "]");
    ASSIGN_OR_RETURN(const WorkKind kind, TakeKind(name, wire[i].kind(), seen));
    ASSIGN_OR_RETURN(profile.fits[kind], FitFromWire(name, wire[i]));
  }
  return profile;
}

void WorkTotalsToWire(const PerWorkKind<WorkTotals>& totals,
                      RepeatedPtrField<pb::WorkTotals>& wire) {
  for (const WorkKind kind : kAllWorkKinds) {
    const WorkTotals& total = totals[kind];
    if (total.count == 0 && total.busy == absl::ZeroDuration()) continue;
    pb::WorkTotals& added = *wire.Add();
    added.set_kind(KindToWire(kind));
    added.set_count(total.count);
    added.set_units(total.units);
    added.set_busy_ns(absl::ToInt64Nanoseconds(total.busy));
  }
}

absl::StatusOr<PerWorkKind<WorkTotals>> WorkTotalsFromWire(
    const std::string& field, const RepeatedPtrField<pb::WorkTotals>& wire) {
  PerWorkKind<WorkTotals> totals;
  PerWorkKind<bool> seen;
  for (int i = 0; i < wire.size(); ++i) {
    const pb::WorkTotals& total = wire[i];
    const std::string name = absl::StrCat(field, "[", i, "]");
    ASSIGN_OR_RETURN(const WorkKind kind, TakeKind(name, total.kind(), seen));
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(name, ".count"),
                                static_cast<double>(total.count())));
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(name, ".units"), total.units()));
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(name, ".busy_ns"),
                                static_cast<double>(total.busy_ns())));
    totals[kind] = {.count = total.count(),
                    .units = total.units(),
                    .busy = absl::Nanoseconds(total.busy_ns())};
  }
  return totals;
}

}  // namespace hybridserve
