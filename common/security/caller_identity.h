#ifndef HYBRIDSERVE_COMMON_SECURITY_CALLER_IDENTITY_H_
#define HYBRIDSERVE_COMMON_SECURITY_CALLER_IDENTITY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/support/client_interceptor.h"

namespace hybridserve {

// What a client says of itself with every call.
struct CallerIdentity {
  std::string api_key_file;  // As ApiKeyFile; empty: it shows no key.
  std::string tenant;        // For whom it asks; empty: it does not say.
};

// What makes a channel's calls say it: `authorization: Bearer KEY`, with the
// key that is in the file at the time, and the tenant's header. Empty if there
// is nothing to say. InvalidArgument naming --api_key_file or --tenant.
absl::StatusOr<std::vector<
    std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>>
MakeIdentityInterceptors(const CallerIdentity& identity);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SECURITY_CALLER_IDENTITY_H_
