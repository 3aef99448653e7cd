#ifndef HYBRIDSERVE_COMMON_WIRE_ENUM_WIRE_H_
#define HYBRIDSERVE_COMMON_WIRE_ENUM_WIRE_H_

#include "absl/status/statusor.h"
#include "common/cache/block_ref.h"
#include "common/dtype.h"
#include "common/step_plan.h"
#include "hybridserve/worker/v1/registration.pb.h"
#include "hybridserve/worker/v1/step_plan.pb.h"

namespace hybridserve {

// Enums. FromWire is InvalidArgument, naming the field ("kind", "tier",
// "dtype", "schedule"), for values that are unknown or, but for a schedule,
// unspecified.

worker::v1::CacheKind CacheKindToWire(CacheKind kind);
absl::StatusOr<CacheKind> CacheKindFromWire(worker::v1::CacheKind wire);

worker::v1::Tier TierToWire(Tier tier);
absl::StatusOr<Tier> TierFromWire(worker::v1::Tier wire);

// `dtype` is one that a worker can compute in.
worker::v1::DataType DTypeToWire(DType dtype);
absl::StatusOr<DType> DTypeFromWire(worker::v1::DataType wire);

worker::v1::StepSchedule ScheduleToWire(StepSchedule schedule);
// Unspecified is overlapped.
absl::StatusOr<StepSchedule> ScheduleFromWire(worker::v1::StepSchedule wire);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WIRE_ENUM_WIRE_H_
