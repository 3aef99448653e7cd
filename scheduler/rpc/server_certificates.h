#ifndef HYBRIDSERVE_SCHEDULER_RPC_SERVER_CERTIFICATES_H_
#define HYBRIDSERVE_SCHEDULER_RPC_SERVER_CERTIFICATES_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/security/tls_material.h"
#include "grpc/grpc_security.h"
#include "grpcpp/security/server_credentials.h"

namespace hybridserve {

// What a server shows to its clients and demands of them, which may be replaced
// while it runs: the handshakes that follow take it, connections that are up
// stay.
//
// By gRPC's certificate fetcher. Its file watcher would do without code, but
// serves nobody from the moment that a bad file is there.
//
// Thread-safe.
class ServerCertificates {
 public:
  explicit ServerCertificates(bool clients_need_one)
      : clients_need_one_(clients_need_one) {}
  ServerCertificates(const ServerCertificates&) = delete;
  ServerCertificates& operator=(const ServerCertificates&) = delete;

  // `material` has a certificate, and a ca if clients need one.
  void Replace(TlsMaterial material);

  // For one port of a server, which this outlives. Once, after Replace().
  std::shared_ptr<grpc::ServerCredentials> MakeCredentials();

 private:
  // gRPC asks before each handshake. `self` is a ServerCertificates.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config);

  const bool clients_need_one_;
  absl::Mutex mutex_;
  TlsMaterial material_ ABSL_GUARDED_BY(mutex_);
  bool is_new_ ABSL_GUARDED_BY(mutex_) = false;  // Not fetched yet.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_SERVER_CERTIFICATES_H_
