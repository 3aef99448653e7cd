#include "common/wire/enum_wire.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

absl::Status Unknown(absl::string_view field, int value) {
  return InvalidFieldError(field, absl::StrCat("unknown value ", value));
}

}  // namespace

pb::CacheKind CacheKindToWire(CacheKind kind) {
  switch (kind) {
    case CacheKind::kKv:
      return pb::CACHE_KIND_KV;
    case CacheKind::kAct:
      return pb::CACHE_KIND_ACT;
    case CacheKind::kTokens:
      return pb::CACHE_KIND_TOKENS;
  }
  LOG(FATAL) << "no such kind: " << static_cast<int>(kind);
}

absl::StatusOr<CacheKind> CacheKindFromWire(pb::CacheKind wire) {
  switch (wire) {
    case pb::CACHE_KIND_KV:
      return CacheKind::kKv;
    case pb::CACHE_KIND_ACT:
      return CacheKind::kAct;
    case pb::CACHE_KIND_TOKENS:
      return CacheKind::kTokens;
    default:
      return Unknown("kind", wire);
  }
}

pb::Tier TierToWire(Tier tier) {
  switch (tier) {
    case Tier::kDevice:
      return pb::TIER_DEVICE;
    case Tier::kHost:
      return pb::TIER_HOST;
  }
  LOG(FATAL) << "no such tier: " << static_cast<int>(tier);
}

absl::StatusOr<Tier> TierFromWire(pb::Tier wire) {
  switch (wire) {
    case pb::TIER_DEVICE:
      return Tier::kDevice;
    case pb::TIER_HOST:
      return Tier::kHost;
    default:
      return Unknown("tier", wire);
  }
}

pb::DataType DTypeToWire(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return pb::DATA_TYPE_FLOAT32;
    case DType::kBFloat16:
      return pb::DATA_TYPE_BFLOAT16;
    case DType::kFloat16:
      return pb::DATA_TYPE_FLOAT16;
    case DType::kInt32:
      break;
  }
  LOG(FATAL) << "no worker computes in " << Name(dtype);
}

absl::StatusOr<DType> DTypeFromWire(pb::DataType wire) {
  switch (wire) {
    case pb::DATA_TYPE_FLOAT32:
      return DType::kFloat32;
    case pb::DATA_TYPE_BFLOAT16:
      return DType::kBFloat16;
    case pb::DATA_TYPE_FLOAT16:
      return DType::kFloat16;
    default:
      return Unknown("dtype", wire);
  }
}

pb::StepSchedule ScheduleToWire(StepSchedule schedule) {
  switch (schedule) {
    case StepSchedule::kOverlapped:
      return pb::STEP_SCHEDULE_OVERLAPPED;
    case StepSchedule::kZigZag:
      return pb::STEP_SCHEDULE_ZIG_ZAG;
  }
  LOG(FATAL) << "no such schedule: " << static_cast<int>(schedule);
}

absl::StatusOr<StepSchedule> ScheduleFromWire(pb::StepSchedule wire) {
  switch (wire) {
    case pb::STEP_SCHEDULE_UNSPECIFIED:
    case pb::STEP_SCHEDULE_OVERLAPPED:
      return StepSchedule::kOverlapped;
    case pb::STEP_SCHEDULE_ZIG_ZAG:
      return StepSchedule::kZigZag;
    default:
      return Unknown("schedule", wire);
  }
}

}  // namespace hybridserve
