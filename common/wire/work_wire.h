#ifndef HYBRIDSERVE_COMMON_WIRE_WORK_WIRE_H_
#define HYBRIDSERVE_COMMON_WIRE_WORK_WIRE_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/work.h"
#include "common/work_profile.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hybridserve/worker/v1/work.pb.h"

namespace hybridserve {

// Fits with samples or a cost; the others are left out.
void WorkProfileToWire(
    const WorkProfile& profile,
    google::protobuf::RepeatedPtrField<worker::v1::WorkCost>& wire);

// InvalidArgument with a BadRequest naming "<field>[i]..." for a number that is
// negative, not finite or out of range, an unknown kind, or one that is there
// twice.
absl::StatusOr<WorkProfile> WorkProfileFromWire(
    const std::string& field,
    const google::protobuf::RepeatedPtrField<worker::v1::WorkCost>& wire);

// Kinds that there was no work of are left out.
void WorkTotalsToWire(
    const PerWorkKind<WorkTotals>& totals,
    google::protobuf::RepeatedPtrField<worker::v1::WorkTotals>& wire);

// As WorkProfileFromWire().
absl::StatusOr<PerWorkKind<WorkTotals>> WorkTotalsFromWire(
    const std::string& field,
    const google::protobuf::RepeatedPtrField<worker::v1::WorkTotals>& wire);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WIRE_WORK_WIRE_H_
