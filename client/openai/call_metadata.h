#ifndef HYBRIDSERVE_CLIENT_OPENAI_CALL_METADATA_H_
#define HYBRIDSERVE_CLIENT_OPENAI_CALL_METADATA_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "grpcpp/client_context.h"

namespace hybridserve::openai {

// What one HTTP request brings for the calls to the server that it makes.
struct CallMetadata {
  std::string request_id;     // Never empty.
  std::string authorization;  // "Bearer KEY"; empty: none.
  std::string traceparent;    // Empty: none.
  std::string tenant;         // Empty: the key's own.

  void AddTo(grpc::ClientContext& context) const;
};

// Headers as a client sent them; empty: not there.
struct CallHeaders {
  absl::string_view authorization;
  absl::string_view request_id;
  absl::string_view traceparent;
};

// A request id that cannot be one is replaced, a bad traceparent dropped, as
// the server does. Unauthenticated if the key can be nobody's. All calls share
// a connection, which metadata that is too large or not printable would end.
absl::StatusOr<CallMetadata> MakeCallMetadata(const CallHeaders& headers);

// For whom a body asks: its `user`. InvalidArgument if it can be no tenant's
// name.
absl::StatusOr<std::string> TenantOfUser(absl::string_view user);

// PREFIX and 16 hex digits, like no other.
std::string MakeId(absl::string_view prefix);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_CALL_METADATA_H_
