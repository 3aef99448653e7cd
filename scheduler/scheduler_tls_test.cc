// TLS and mTLS, with certificates made on the spot.

#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/grpc_status.h"
#include "common/testing/status_matchers.h"
#include "glog/logging.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/control_service.grpc.pb.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "openssl/x509.h"
#include "openssl/x509v3.h"
#include "scheduler/policy/policy.h"
#include "scheduler/scheduler_server.h"

namespace hybridserve {
namespace {

std::string PathOf(const std::string& name) {
  return testing::TempDir() + "/" + name;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Writes NAME.crt and NAME.key: a key and its certificate, signed by itself,
// for 127.0.0.1.
void WriteCertificate(const std::string& name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  CHECK(key != nullptr);
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(
      nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  X509_add_ext(certificate, names, -1);
  CHECK_GT(X509_sign(certificate, key, EVP_sha256()), 0);

  FILE* file = fopen(PathOf(name + ".crt").c_str(), "w");
  CHECK_EQ(PEM_write_X509(file, certificate), 1);
  fclose(file);
  file = fopen(PathOf(name + ".key").c_str(), "w");
  CHECK_EQ(
      PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr),
      1);
  fclose(file);
  X509_EXTENSION_free(names);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

absl::StatusOr<std::unique_ptr<SchedulerServer>> MakeServer(TlsFiles tls) {
  SchedulerServerOptions options;
  options.policy = ParsePolicy("kv", std::nullopt).value();
  options.listen = "127.0.0.1:0";
  options.tls = std::move(tls);
  return SchedulerServer::Create(std::move(options));
}

// What a client gets that trusts `ca` and, if named, is `client`.
absl::Status Call(const SchedulerServer& server, const std::string& ca,
                  const std::string& client = "") {
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = ReadFile(PathOf(ca + ".crt"));
  if (!client.empty()) {
    ssl.pem_cert_chain = ReadFile(PathOf(client + ".crt"));
    ssl.pem_private_key = ReadFile(PathOf(client + ".key"));
  }
  const auto control = v1::ControlService::NewStub(
      grpc::CreateChannel(server.address(), grpc::SslCredentials(ssl)));
  grpc::ClientContext context;
  v1::GetServerInfoResponse response;
  return FromGrpcStatus(control->GetServerInfo(&context, {}, &response));
}

class SchedulerTlsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const char* name : {"server", "client", "stranger"}) {
      WriteCertificate(name);
    }
  }
};

TEST_F(SchedulerTlsTest, ClientsThatTrustTheCertificateGetIn) {
  const auto server = MakeServer({.certificate_file = PathOf("server.crt"),
                                  .key_file = PathOf("server.key")});
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(Call(**server, "server"), IsOk());
  EXPECT_THAT(Call(**server, "stranger"),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SchedulerTlsTest, WithACaClientsNeedACertificateOfIt) {
  const auto server = MakeServer({.certificate_file = PathOf("server.crt"),
                                  .key_file = PathOf("server.key"),
                                  .ca_file = PathOf("client.crt")});
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(Call(**server, "server", "client"), IsOk());
  EXPECT_THAT(Call(**server, "server"),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Call(**server, "server", "stranger"),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SchedulerTlsTest, HalfASetUpIsRefusedByFlag) {
  EXPECT_THAT(MakeServer({.certificate_file = PathOf("server.crt")}),
              StatusIs(absl::StatusCode::kInvalidArgument, "--tls_key"));
  EXPECT_THAT(MakeServer({.ca_file = PathOf("client.crt")}),
              StatusIs(absl::StatusCode::kInvalidArgument, "--tls_ca"));
  EXPECT_THAT(
      MakeServer({.certificate_file = PathOf("none.crt"),
                  .key_file = PathOf("server.key")}),
      StatusIs(absl::StatusCode::kInvalidArgument, "--tls_certificate"));
}

}  // namespace
}  // namespace hybridserve
