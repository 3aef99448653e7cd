// TLS and mTLS, with certificates made on the spot, and replaced.

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/grpc_status.h"
#include "common/security/secure_channel.h"
#include "common/security/tls_files.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_certificates.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/control_service.grpc.pb.h"
#include "scheduler/policy/policy.h"
#include "scheduler/scheduler_server.h"

namespace hybridserve {
namespace {

constexpr absl::Duration kSoon = absl::Seconds(60);

std::string PathOf(const std::string& name) {
  return testing::TempDir() + "/" + name;
}

// The files of NAME, whose owner takes certificates from `ca` only.
TlsFiles FilesOf(const std::string& name, const std::string& ca = "") {
  TlsFiles files;
  if (!name.empty()) {
    files.certificate_file = PathOf(name + ".crt");
    files.key_file = PathOf(name + ".key");
  }
  if (!ca.empty()) files.ca_file = PathOf(ca + ".crt");
  return files;
}

// Moves a certificate to the place of another.
void Replace(const std::string& name, const std::string& by) {
  for (const char* end : {".key", ".crt"}) {
    const std::string copy = PathOf("copy");
    std::filesystem::copy_file(
        PathOf(by + end), copy,
        std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(copy, PathOf(name + end));
  }
}

absl::StatusOr<std::unique_ptr<SchedulerServer>> MakeServer(TlsFiles tls) {
  SchedulerServerOptions options;
  options.policy = ParsePolicy("kv", std::nullopt).value();
  options.listen = "127.0.0.1:0";
  options.tls = std::move(tls);
  return SchedulerServer::Create(std::move(options));
}

std::shared_ptr<grpc::Channel> Dial(const SchedulerServer& server,
                                    const TlsFiles& files) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return MakeSecureChannel({.address_flag = "server",
                            .address = server.address(),
                            .tls = files},
                           arguments)
      .value();
}

absl::Status CallOn(const std::shared_ptr<grpc::Channel>& channel) {
  const auto control = v1::ControlService::NewStub(channel);
  grpc::ClientContext context;
  v1::GetServerInfoResponse response;
  return FromGrpcStatus(control->GetServerInfo(&context, {}, &response));
}

// What a client gets that trusts `ca` and, if named, is `client`.
absl::Status Call(const SchedulerServer& server, const std::string& ca,
                  const std::string& client = "") {
  return CallOn(Dial(server, FilesOf(client, ca)));
}

// Whether such a client gets in soon.
bool SoonLetsIn(const SchedulerServer& server, const std::string& ca,
                const std::string& client = "") {
  const absl::Time deadline = absl::Now() + kSoon;
  while (!Call(server, ca, client).ok()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(100));
  }
  return true;
}

class SchedulerTlsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"server", "new_server", "client", "stranger"}) {
      WriteTestCertificate(PathOf(name));
    }
    // What clients trust while the server's file is replaced.
    std::filesystem::copy_file(
        PathOf("server.crt"), PathOf("old_server.crt"),
        std::filesystem::copy_options::overwrite_existing);
  }
};

TEST_F(SchedulerTlsTest, ClientsThatTrustTheCertificateGetIn) {
  const auto server = MakeServer(FilesOf("server"));
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(Call(**server, "server"), IsOk());
  EXPECT_THAT(Call(**server, "stranger"),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(CallOn(Dial(**server, {})),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SchedulerTlsTest, WithACaClientsNeedACertificateOfIt) {
  const auto server = MakeServer(FilesOf("server", "client"));
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(Call(**server, "server", "client"), IsOk());
  EXPECT_THAT(Call(**server, "server"),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Call(**server, "server", "stranger"),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SchedulerTlsTest, AReplacedCertificateIsShownToThoseWhoComeLater) {
  const auto server = MakeServer(FilesOf("server"));
  ASSERT_THAT(server, IsOk());
  const auto connected = Dial(**server, FilesOf("", "old_server"));
  ASSERT_THAT(CallOn(connected), IsOk());
  Replace("server", "new_server");
  EXPECT_TRUE(SoonLetsIn(**server, "new_server"));
  EXPECT_THAT(Call(**server, "old_server"),
              StatusIs(absl::StatusCode::kUnavailable));
  // Who is in stays.
  EXPECT_THAT(CallOn(connected), IsOk());
}

TEST_F(SchedulerTlsTest, AReplacedCaLetsOthersIn) {
  const auto server = MakeServer(FilesOf("server", "client"));
  ASSERT_THAT(server, IsOk());
  WriteTestCertificate(PathOf("other"));
  ASSERT_THAT(Call(**server, "server", "other"),
              StatusIs(absl::StatusCode::kUnavailable));
  std::filesystem::copy_file(PathOf("other.crt"), PathOf("copy"));
  std::filesystem::copy_file(PathOf("client.crt"), PathOf("old_client.crt"));
  std::filesystem::copy_file(PathOf("client.key"), PathOf("old_client.key"));
  std::filesystem::rename(PathOf("copy"), PathOf("client.crt"));
  EXPECT_TRUE(SoonLetsIn(**server, "server", "other"));
  EXPECT_THAT(Call(**server, "server", "old_client"),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SchedulerTlsTest, BadFilesReplaceNothing) {
  const auto server = MakeServer(FilesOf("server"));
  ASSERT_THAT(server, IsOk());
  testing::internal::CaptureStderr();
  std::ofstream(PathOf("server.crt"), std::ios::trunc) << "no certificate";
  // Several looks at the file.
  absl::SleepFor(absl::Seconds(4));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr(PathOf("server.crt")));
  EXPECT_THAT(Call(**server, "old_server"), IsOk());
  std::filesystem::remove(PathOf("server.key"));
  absl::SleepFor(absl::Seconds(4));
  EXPECT_THAT(Call(**server, "old_server"), IsOk());
  // And good ones heal it.
  Replace("server", "new_server");
  EXPECT_TRUE(SoonLetsIn(**server, "new_server"));
}

TEST_F(SchedulerTlsTest, AClientShowsItsNewCertificateWhenItDialsAgain) {
  const TlsFiles files = FilesOf("client", "old_server");
  auto server = MakeServer(FilesOf("server", "client"));
  ASSERT_THAT(server, IsOk());
  const std::string address = (*server)->address();
  const auto channel = Dial(**server, files);
  ASSERT_THAT(CallOn(channel), IsOk());
  // The server goes, and its successor takes new certificates only.
  WriteTestCertificate(PathOf("renewed"));
  Replace("client", "renewed");
  server->reset();
  SchedulerServerOptions options;
  options.policy = ParsePolicy("kv", std::nullopt).value();
  options.listen = address;
  options.tls = FilesOf("server", "renewed");
  server = SchedulerServer::Create(std::move(options));
  ASSERT_THAT(server, IsOk());
  const absl::Time deadline = absl::Now() + kSoon;
  while (!CallOn(channel).ok() && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(100));
  }
  EXPECT_THAT(CallOn(channel), IsOk());
}

TEST_F(SchedulerTlsTest, HalfASetUpIsRefusedByFlag) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(MakeServer({.certificate_file = PathOf("server.crt")}),
              StatusIs(kInvalid, "--tls_key"));
  EXPECT_THAT(MakeServer({.ca_file = PathOf("client.crt")}),
              StatusIs(kInvalid, "--tls_ca"));
  TlsFiles files = FilesOf("server");
  files.certificate_file = PathOf("none.crt");
  EXPECT_THAT(MakeServer(files), StatusIs(kInvalid, "--tls_certificate"));
  files = FilesOf("server", "client");
  files.key_file = PathOf("client.key");
  EXPECT_THAT(MakeServer(files), StatusIs(kInvalid, "--tls_key"));
  files = FilesOf("server");
  files.ca_file = PathOf("server.key");
  EXPECT_THAT(MakeServer(files), StatusIs(kInvalid, "--tls_ca"));
}

}  // namespace
}  // namespace hybridserve
