#ifndef HYBRIDSERVE_SCHEDULER_RPC_CALL_IDENTITY_H_
#define HYBRIDSERVE_SCHEDULER_RPC_CALL_IDENTITY_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "grpcpp/support/string_ref.h"

namespace hybridserve {

inline constexpr int64_t kMaxRequestIdBytes = 128;

// What a response's metadata names the request by, and a call's may.
inline constexpr char kRequestIdMetadata[] = "x-request-id";

// What a call goes by in logs and towards its client.
struct CallIdentity {
  std::string request_id;  // Never empty; IsRequestId().
  std::string trace_id;    // 32 hex digits. Empty: the call is of no trace.
};

// 1 to kMaxRequestIdBytes bytes of printable ASCII without spaces.
bool IsRequestId(absl::string_view text);

// An id that no other request has: `prefix`, "-", 16 hex digits.
std::string MakeRequestId(absl::string_view prefix = "hs");

// Who calls. The request's id is `request_id`, the message's field, if it can
// be one. Else one is made, which begins with the metadata's `x-request-id` if
// that can be one: several calls may have the same. The trace is that of the
// metadata's `traceparent`. What is malformed or there twice is ignored.
CallIdentity IdentifyCall(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata,
    absl::string_view request_id);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_CALL_IDENTITY_H_
