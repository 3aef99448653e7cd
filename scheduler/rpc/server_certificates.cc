#include "scheduler/rpc/server_certificates.h"

#include <string>
#include <utility>

#include "glog/logging.h"
#include "grpc/grpc.h"

namespace hybridserve {
namespace {

// gRPC's C++ layer has no name for credentials with a fetcher; this is one.
class FetchingCredentials final : public grpc::ServerCredentials {
 public:
  FetchingCredentials(grpc_ssl_client_certificate_request_type request,
                      grpc_ssl_server_certificate_config_callback fetch,
                      void* fetcher)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                request, fetch, fetcher))) {}
  ~FetchingCredentials() override {
    grpc_server_credentials_release(credentials_);
  }

  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {
    LOG(FATAL) << "calls are authenticated by Authenticator";
  }

 private:
  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;  // The server holds it as well.
};

}  // namespace

void ServerCertificates::Replace(TlsMaterial material) {
  CHECK(!material.certificate_chain.empty());
  absl::MutexLock lock(&mutex_);
  CHECK_EQ(clients_need_one_, !material.ca.empty());
  material_ = std::move(material);
  is_new_ = true;
}

std::shared_ptr<grpc::ServerCredentials> ServerCertificates::MakeCredentials() {
  return std::make_shared<FetchingCredentials>(
      clients_need_one_
          ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
          : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
      &Fetch, this);
}

grpc_ssl_certificate_config_reload_status ServerCertificates::Fetch(
    void* self, grpc_ssl_server_certificate_config** config) {
  auto& certificates = *static_cast<ServerCertificates*>(self);
  absl::MutexLock lock(&certificates.mutex_);
  if (!std::exchange(certificates.is_new_, false)) {
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  }
  const TlsMaterial& material = certificates.material_;
  const grpc_ssl_pem_key_cert_pair pair = {
      .private_key = material.key.c_str(),
      .cert_chain = material.certificate_chain.c_str()};
  // gRPC's fetcher insists on a ca; of clients that show nothing it checks
  // nothing.
  const std::string& ca =
      certificates.clients_need_one_ ? material.ca : material.certificate_chain;
  *config = grpc_ssl_server_certificate_config_create(ca.c_str(), &pair, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace hybridserve
