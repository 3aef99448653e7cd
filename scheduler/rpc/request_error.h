#ifndef HYBRIDSERVE_SCHEDULER_RPC_REQUEST_ERROR_H_
#define HYBRIDSERVE_SCHEDULER_RPC_REQUEST_ERROR_H_

#include <string>

#include "absl/status/status.h"

namespace hybridserve {

// `status`, which ended a request, with the details that follow from its code
// and from what was asked for: ResourceInfo, QuotaFailure or ErrorInfo.
absl::Status ExplainRequestError(absl::Status status,
                                 const std::string& request_id,
                                 const std::string& model);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_REQUEST_ERROR_H_
