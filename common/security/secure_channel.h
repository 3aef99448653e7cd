#ifndef HYBRIDSERVE_COMMON_SECURITY_SECURE_CHANNEL_H_
#define HYBRIDSERVE_COMMON_SECURITY_SECURE_CHANNEL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/security/caller_identity.h"
#include "common/security/tls_files.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace hybridserve {

// Where a server is, how to trust it and what to show to it.
struct SecureChannelOptions {
  std::string address_flag;  // That gave `address`, for errors: "server".
  std::string address;       // HOST:PORT, or what gRPC resolves.
  // Without a ca_file the connection is in the clear, and the client has no
  // certificate.
  TlsFiles tls;
  CallerIdentity identity;
};

// A channel that dials at its first call. The files of `options` are read again
// when they change: it shows a renewed certificate when it dials the next time,
// a renewed key with the next call. Bad certificate files are logged, and what
// was read before stays in use. Messages are of up to 64 MiB.
//
// InvalidArgument naming the flag. Warns in the log of a key that goes over a
// network in the clear.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeSecureChannel(
    const SecureChannelOptions& options, grpc::ChannelArguments arguments);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SECURITY_SECURE_CHANNEL_H_
