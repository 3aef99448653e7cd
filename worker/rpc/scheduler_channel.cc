#include "worker/rpc/scheduler_channel.h"

#include "common/security/secure_channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace hybridserve {

absl::StatusOr<std::shared_ptr<grpc::Channel>> DialScheduler(
    const SchedulerChannelOptions& options) {
  grpc::ChannelArguments arguments;
  // The line is silent while nobody asks for text: pings notice a scheduler
  // that is gone.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // This is how long an attempt may take: over TLS and far away, some time.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  return MakeSecureChannel({.address_flag = "scheduler",
                            .address = options.address,
                            .tls = options.tls,
                            .identity = {.api_key_file = options.api_key_file}},
                           arguments);
}

}  // namespace hybridserve
