#ifndef HYBRIDSERVE_CLIENT_STATUS_TEXT_H_
#define HYBRIDSERVE_CLIENT_STATUS_TEXT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/status.h"

namespace hybridserve {

// "INVALID_ARGUMENT", "UNAVAILABLE", ...: as gRPC's documentation spells it.
absl::string_view CodeName(grpc::StatusCode code);

// For one line of an error message: "NOT_FOUND: no model \"x\"". Line breaks
// in the message become spaces.
std::string Describe(const grpc::Status& status);
std::string Describe(const absl::Status& status);

// True where the same call may succeed later: the server is full, gone or lost
// its worker. RESOURCE_EXHAUSTED without RetryInfo is that of a message that is
// too large, and stays so.
bool IsRetryable(const grpc::Status& status);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_STATUS_TEXT_H_
