#ifndef HYBRIDSERVE_CLIENT_CONNECTION_H_
#define HYBRIDSERVE_CLIENT_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"

namespace hybridserve {

// A channel to HOST:PORT, with the message sizes and keepalive that the
// server's side expects. Connects when it is first used. `ca_file`: PEM
// certificates that the server's must come from; empty: in the clear.
// InvalidArgument naming the flag.
absl::StatusOr<std::shared_ptr<grpc::Channel>> DialServer(
    const std::string& address, const std::string& ca_file);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CONNECTION_H_
