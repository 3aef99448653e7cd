#ifndef HYBRIDSERVE_SCHEDULER_RPC_REQUEST_LOG_H_
#define HYBRIDSERVE_SCHEDULER_RPC_REQUEST_LOG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/request.h"
#include "scheduler/rpc/call_identity.h"
#include "scheduler/rpc/request_labels.h"

namespace hybridserve {

// The one line that the log has of a request, at its end: key=value, in one
// order, what is unknown left out. Values that are not plain words are quoted
// and escaped as in C. Never text of prompts or outputs, nor an error's
// message, which may quote some.
std::string FinishedLine(const CallIdentity& identity,
                         const RequestLabels& labels, const Usage& usage,
                         FinishReason reason);

// Of a request that ended by an error after it was accepted.
std::string FailedLine(const CallIdentity& identity,
                       const RequestLabels& labels, const Usage& usage,
                       absl::StatusCode code);

// Of one that was refused, whose model may be none.
std::string RefusedLine(const CallIdentity& identity, absl::string_view tenant,
                        absl::StatusCode code);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_REQUEST_LOG_H_
