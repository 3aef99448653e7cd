#include "scheduler/rpc/server_credentials.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/flag_file.h"
#include "common/listen_address.h"
#include "common/status_macros.h"
#include "grpcpp/security/server_credentials.h"

namespace hybridserve {
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const SchedulerServerOptions& options) {
  const absl::StatusOr<ListenAddress> address =
      ParseListenAddress(options.listen);
  if (!address.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen: ", address.status().message()));
  }
  const TlsFiles& tls = options.tls;
  if (tls.empty()) {
    if (!tls.ca_file.empty()) {
      return absl::InvalidArgumentError(
          "--tls_ca: needs --tls_certificate and --tls_key");
    }
    if (!address->is_loopback() && !options.insecure) {
      return absl::FailedPreconditionError(absl::StrCat(
          "--listen: ", options.listen,
          " is open to the network; give --tls_certificate and --tls_key, or "
          "--insecure if the network is trusted"));
    }
    return grpc::InsecureServerCredentials();
  }
  if (tls.certificate_file.empty() || tls.key_file.empty()) {
    return absl::InvalidArgumentError(
        "--tls_certificate and --tls_key: one is of no use without the other");
  }
  grpc::SslServerCredentialsOptions::PemKeyCertPair pair;
  ASSIGN_OR_RETURN(pair.cert_chain,
                   ReadFlagFile("tls_certificate", tls.certificate_file));
  ASSIGN_OR_RETURN(pair.private_key, ReadFlagFile("tls_key", tls.key_file));
  grpc::SslServerCredentialsOptions ssl(
      tls.ca_file.empty()
          ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
          : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  ssl.pem_key_cert_pairs.push_back(pair);
  if (!tls.ca_file.empty()) {
    ASSIGN_OR_RETURN(ssl.pem_root_certs, ReadFlagFile("tls_ca", tls.ca_file));
  }
  return grpc::SslServerCredentials(ssl);
}

}  // namespace hybridserve
