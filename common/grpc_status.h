#ifndef HYBRIDSERVE_COMMON_GRPC_STATUS_H_
#define HYBRIDSERVE_COMMON_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace hybridserve {

// The same code and message. Payloads become google.rpc details, which any
// language's gRPC library can read:
//   kFieldPayloadUrl       BadRequest, with the message as its description
//   kRetryDelayPayloadUrl  RetryInfo
//   type.googleapis.com/*  as they are (AddDetail)
// Others stay behind. A message that is not UTF-8 is made so.
grpc::Status ToGrpcStatus(const absl::Status& status);

// The inverse: BadRequest's first field and RetryInfo become the payloads of
// common/status_details.h again, other details keep their type URL. Details
// that do not parse are ignored; an unknown code becomes UNKNOWN.
absl::Status FromGrpcStatus(const grpc::Status& status);

// ---- Details that have no payload of their own. Each returns `status` with
// the detail added; an OK status stays as it is.

// NOT_FOUND, ALREADY_EXISTS: the `type` ("model", "request") and its `name`.
absl::Status WithResourceInfo(absl::Status status, absl::string_view type,
                              absl::string_view name);
// `reason` is UPPER_SNAKE_CASE; the domain is "hybridserve".
absl::Status WithErrorInfo(absl::Status status, absl::string_view reason);
// RESOURCE_EXHAUSTED: which limit; the message describes it.
absl::Status WithQuotaFailure(absl::Status status, absl::string_view subject);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_GRPC_STATUS_H_
