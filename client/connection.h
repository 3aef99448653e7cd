#ifndef HYBRIDSERVE_CLIENT_CONNECTION_H_
#define HYBRIDSERVE_CLIENT_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/security/caller_identity.h"
#include "common/security/tls_files.h"
#include "grpcpp/channel.h"

namespace hybridserve {

// Where a server is, how to trust it and what to show to it.
struct ConnectionOptions {
  std::string address;  // HOST:PORT, or what gRPC resolves.
  TlsFiles tls;         // Without a ca_file: in the clear.
  CallerIdentity identity;
};

// A channel to it, with the message sizes and keepalive that the server's side
// expects. Connects when it is first used. InvalidArgument naming the flag.
absl::StatusOr<std::shared_ptr<grpc::Channel>> DialServer(
    const ConnectionOptions& options);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CONNECTION_H_
