#include "common/security/secure_channel.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/listen_address.h"
#include "common/security/good_tls_files.h"
#include "common/security/tls_material.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace hybridserve {
namespace {

constexpr unsigned int kRefreshSeconds = 1;
constexpr int kMaxMessageBytes = 64 << 20;

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(
    const TlsFiles& files) {
  // gRPC would find bad files only when it dials.
  ASSIGN_OR_RETURN(const TlsMaterial material, ReadTlsMaterial(files));
  if (files.ca_file.empty()) {
    if (!files.empty()) {
      return absl::InvalidArgumentError(
          "--tls_ca: is missing beside --tls_certificate");
    }
    return grpc::InsecureChannelCredentials();
  }
  if (material.expires < absl::Now()) {
    LOG(WARNING) << "--tls_certificate: " << files.certificate_file
                 << " has expired: expires=" << material.expires;
  }
  ASSIGN_OR_RETURN(const TlsFiles copies, CopyGoodTlsFiles(files));
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          copies.key_file, copies.certificate_file, copies.ca_file,
          kRefreshSeconds));
  options.watch_root_certs();
  if (!files.empty()) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

// What nobody on a network can listen to.
bool StaysOnThisMachine(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return true;
  const absl::StatusOr<ListenAddress> parsed = ParseListenAddress(address);
  return parsed.ok() && parsed->is_loopback();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeSecureChannel(
    const SecureChannelOptions& options, grpc::ChannelArguments arguments) {
  if (options.address.find(':') == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("--", options.address_flag,
                                                   ": \"", options.address,
                                                   "\" is not HOST:PORT"));
  }
  ASSIGN_OR_RETURN(auto credentials, MakeCredentials(options.tls));
  ASSIGN_OR_RETURN(auto interceptors,
                   MakeIdentityInterceptors(options.identity));
  if (options.tls.ca_file.empty() && !options.identity.api_key_file.empty() &&
      !StaysOnThisMachine(options.address)) {
    LOG(WARNING) << "the API key goes to " << options.address
                 << " in the clear, for everybody on the way to read; give "
                    "--tls_ca";
  }
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      options.address, credentials, arguments, std::move(interceptors));
}

}  // namespace hybridserve
