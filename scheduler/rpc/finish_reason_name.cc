#include "scheduler/rpc/finish_reason_name.h"

#include "glog/logging.h"

namespace hybridserve {

absl::string_view Name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  LOG(FATAL) << "no such reason: " << static_cast<int>(reason);
}

}  // namespace hybridserve
