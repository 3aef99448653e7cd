#include "client/connection.h"

#include "common/security/secure_channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace hybridserve {

absl::StatusOr<std::shared_ptr<grpc::Channel>> DialServer(
    const ConnectionOptions& options) {
  grpc::ChannelArguments arguments;
  // A streamed step can take seconds: notice a dead server in between.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  return MakeSecureChannel({.address_flag = "server",
                            .address = options.address,
                            .tls = options.tls,
                            .identity = options.identity},
                           arguments);
}

}  // namespace hybridserve
