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
  }
  LOG(FATAL) << "no such kind: " << static_cast<int>(kind);
}

absl::StatusOr<CacheKind> CacheKindFromWire(pb::CacheKind wire) {
  switch (wire) {
    case pb::CACHE_KIND_KV:
      return CacheKind::kKv;
    case pb::CACHE_KIND_ACT:
      return CacheKind::kAct;
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

}  // namespace hybridserve
