#include "worker/rpc/scheduler_channel.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/flag_file.h"
#include "common/status_macros.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace hybridserve {
namespace {

constexpr int kMaxMessageBytes = 64 << 20;

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(
    const SchedulerChannelOptions& options) {
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return absl::InvalidArgumentError(
        "--tls_certificate and --tls_key: one is of no use without the other");
  }
  if (options.ca_file.empty()) {
    if (!options.key_file.empty()) {
      return absl::InvalidArgumentError("--tls_ca: is missing");
    }
    return grpc::InsecureChannelCredentials();
  }
  grpc::SslCredentialsOptions ssl;
  ASSIGN_OR_RETURN(ssl.pem_root_certs, ReadFlagFile("tls_ca", options.ca_file));
  if (!options.key_file.empty()) {
    ASSIGN_OR_RETURN(ssl.pem_cert_chain,
                     ReadFlagFile("tls_certificate", options.certificate_file));
    ASSIGN_OR_RETURN(ssl.pem_private_key,
                     ReadFlagFile("tls_key", options.key_file));
  }
  return grpc::SslCredentials(ssl);
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> DialScheduler(
    const SchedulerChannelOptions& options) {
  if (options.address.find(':') == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--scheduler: \"", options.address, "\" is not HOST:PORT"));
  }
  ASSIGN_OR_RETURN(auto credentials, MakeCredentials(options));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  // The line is silent while nobody asks for text: pings notice a scheduler
  // that is gone.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  return grpc::CreateCustomChannel(options.address, credentials, arguments);
}

}  // namespace hybridserve
