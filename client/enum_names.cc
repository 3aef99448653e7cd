#include "client/enum_names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace hybridserve {

std::string TierName(v1::Tier tier) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::Tier_Name(tier), "TIER_"));
}

std::string WorkKindName(v1::WorkKind kind) {
  return absl::AsciiStrToLower(
      absl::StripPrefix(v1::WorkKind_Name(kind), "WORK_KIND_"));
}

std::string WorkerStateName(v1::WorkerState state) {
  return absl::AsciiStrToLower(
      absl::StripPrefix(v1::WorkerState_Name(state), "WORKER_STATE_"));
}

}  // namespace hybridserve
