#include "scheduler/rpc/server_credentials.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/listen_address.h"
#include "common/security/tls_files.h"
#include "common/security/tls_material.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "grpcpp/security/server_credentials.h"
#include "scheduler/rpc/server_certificates.h"

namespace hybridserve {
namespace {

// That a server in the clear may listen where it is to.
absl::Status CheckClear(const SchedulerServerOptions& options,
                        const ListenAddress& address) {
  if (!options.tls.ca_file.empty()) {
    return absl::InvalidArgumentError(
        "--tls_ca: needs --tls_certificate and --tls_key");
  }
  if (address.is_loopback()) return absl::OkStatus();
  if (options.insecure) {
    LOG_IF(WARNING, !options.api_keys_file.empty())
        << "API keys come to " << options.listen
        << " in the clear, for everybody on the way to read";
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "--listen: ", options.listen,
      " is open to the network; give --tls_certificate and --tls_key, or "
      "--insecure if the network is trusted"));
}

void LogExpiry(const TlsFiles& files, const TlsMaterial& material) {
  if (material.expires > absl::Now()) {
    LOG(INFO) << "TLS: certificate=" << files.certificate_file
              << " expires=" << material.expires;
  } else {
    LOG(WARNING) << "--tls_certificate: " << files.certificate_file
                 << " has expired, so clients will refuse it: expires="
                 << material.expires;
  }
}

absl::Status Load(const TlsFiles& files, ServerCertificates& certificates) {
  ASSIGN_OR_RETURN(TlsMaterial material, ReadTlsMaterial(files));
  LogExpiry(files, material);
  certificates.Replace(std::move(material));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const SchedulerServerOptions& options, FileWatcher& watcher) {
  ASSIGN_OR_RETURN(const ListenAddress address,
                   ParseListenFlag("listen", options.listen));
  const TlsFiles& files = options.tls;
  if (files.empty()) {
    RETURN_IF_ERROR(CheckClear(options, address));
    return grpc::InsecureServerCredentials();
  }
  // Shared with the watcher alone, which keeps it for the server.
  const auto certificates = std::make_shared<ServerCertificates>(
      /*clients_need_one=*/!files.ca_file.empty());
  watcher.Watch(files.paths(), [files, certificates] {
    const absl::Status status = Load(files, *certificates);
    LOG_IF(ERROR, !status.ok())
        << status.message() << "; the TLS files read before stay in use";
  });
  RETURN_IF_ERROR(Load(files, *certificates));
  return certificates->MakeCredentials();
}

}  // namespace hybridserve
