#ifndef HYBRIDSERVE_SCHEDULER_RPC_FINISH_REASON_NAME_H_
#define HYBRIDSERVE_SCHEDULER_RPC_FINISH_REASON_NAME_H_

#include "absl/strings/string_view.h"
#include "scheduler/core/request.h"

namespace hybridserve {

// "stop", "length", "cancelled": in labels and logs.
absl::string_view Name(FinishReason reason);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_FINISH_REASON_NAME_H_
