#include "common/work.h"

namespace hybridserve {

absl::string_view Name(WorkKind kind) {
  switch (kind) {
    case WorkKind::kWeights:
      return "weights";
    case WorkKind::kKv:
      return "KV";
    case WorkKind::kAct:
      return "ACT";
    case WorkKind::kInputs:
      return "inputs";
    case WorkKind::kRebuild:
      return "rebuild";
    case WorkKind::kForward:
      return "forward";
    case WorkKind::kAttention:
      return "attention";
    case WorkKind::kHead:
      return "LM head";
    case WorkKind::kWriteBack:
      return "write-back";
    case WorkKind::kResults:
      return "results";
    case WorkKind::kOther:
      return "other";
  }
  return "?";
}

WorkTotals& WorkTotals::operator+=(const WorkTotals& other) {
  count += other.count;
  units += other.units;
  busy += other.busy;
  return *this;
}

WorkTotals& WorkTotals::operator-=(const WorkTotals& other) {
  count -= other.count;
  units -= other.units;
  busy -= other.busy;
  return *this;
}

}  // namespace hybridserve
