#include "scheduler/rpc/server_credentials.h"

#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status_macros.h"
#include "grpcpp/security/server_credentials.h"

namespace hybridserve {
namespace {

absl::StatusOr<std::string> ReadFile(absl::string_view flag,
                                     const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) {
    return absl::NotFoundError(absl::StrCat(flag, ": cannot read ", path));
  }
  return content;
}

// Of HOST:PORT; an IPv6 address without its brackets.
absl::StatusOr<std::string> HostOf(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen: \"", listen, "\" is not HOST:PORT"));
  }
  std::string host = listen.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return host;
}

bool IsLoopback(absl::string_view host) {
  return host == "localhost" || host == "::1" || absl::StartsWith(host, "127.");
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const SchedulerServerOptions& options) {
  ASSIGN_OR_RETURN(const std::string host, HostOf(options.listen));
  const TlsFiles& tls = options.tls;
  if (tls.empty()) {
    if (!tls.ca_file.empty()) {
      return absl::InvalidArgumentError(
          "--tls_ca: needs --tls_certificate and --tls_key");
    }
    if (!IsLoopback(host) && !options.insecure) {
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
                   ReadFile("--tls_certificate", tls.certificate_file));
  ASSIGN_OR_RETURN(pair.private_key, ReadFile("--tls_key", tls.key_file));
  grpc::SslServerCredentialsOptions ssl(
      tls.ca_file.empty()
          ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
          : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  ssl.pem_key_cert_pairs.push_back(pair);
  if (!tls.ca_file.empty()) {
    ASSIGN_OR_RETURN(ssl.pem_root_certs, ReadFile("--tls_ca", tls.ca_file));
  }
  return grpc::SslServerCredentials(ssl);
}

}  // namespace hybridserve
