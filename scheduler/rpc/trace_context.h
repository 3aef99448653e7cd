#ifndef HYBRIDSERVE_SCHEDULER_RPC_TRACE_CONTEXT_H_
#define HYBRIDSERVE_SCHEDULER_RPC_TRACE_CONTEXT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hybridserve {

// The trace id, 32 hex digits, of a `traceparent` (W3C Trace Context, level 1,
// section 3.2). Nothing if the value is not well-formed, which is then to be
// ignored: the call belongs to no trace.
std::optional<std::string> ParseTraceId(absl::string_view traceparent);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_TRACE_CONTEXT_H_
