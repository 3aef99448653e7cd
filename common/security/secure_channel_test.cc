#include "common/security/secure_channel.h"

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_certificates.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string Write(const std::string& name, const std::string& text) {
  std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  return path;
}

// Answers every call with nothing, and keeps what it said of its caller.
class Listener final : public grpc::CallbackGenericService {
 public:
  Listener() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~Listener() override { server_->Shutdown(); }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    for (const auto& [name, value] : context->client_metadata()) {
      const std::string key(name.data(), name.size());
      if (key == "authorization" || key == "x-hybridserve-tenant") {
        heard_.emplace(key, std::string(value.data(), value.size()));
      }
    }
    class Reactor final : public grpc::ServerGenericBidiReactor {
     public:
      Reactor() { Finish(grpc::Status::OK); }
      void OnDone() override { delete this; }
    };
    return new Reactor();
  }

  // What a call on `channel` says.
  std::map<std::string, std::string> Hear(
      const std::shared_ptr<grpc::Channel>& channel) {
    heard_.clear();
    grpc::ClientContext context;
    grpc::GenericStub stub(channel);
    grpc::CompletionQueue queue;
    const grpc::Slice nothing;
    const grpc::ByteBuffer request(&nothing, 1);
    const auto call =
        stub.PrepareUnaryCall(&context, "/a.Service/Method", request, &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
    return heard_;
  }

  const std::string& address() const { return address_; }

 private:
  std::map<std::string, std::string> heard_;  // Read after the call's end.
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

TEST(SecureChannelTest, EveryCallSaysWhoseItIsWithTheKeyOfTheMoment) {
  Listener listener;
  const std::string key_file = Write("key", "first\n");
  const auto channel = MakeSecureChannel(
      {.address_flag = "server",
       .address = listener.address(),
       .identity = {.api_key_file = key_file, .tenant = "alice"}},
      {});
  ASSERT_THAT(channel, IsOk());
  EXPECT_THAT(listener.Hear(*channel),
              UnorderedElementsAre(Pair("authorization", "Bearer first"),
                                   Pair("x-hybridserve-tenant", "alice")));
  Write("key", "the-second\n");
  EXPECT_THAT(listener.Hear(*channel),
              UnorderedElementsAre(Pair("authorization", "Bearer the-second"),
                                   Pair("x-hybridserve-tenant", "alice")));
}

TEST(SecureChannelTest, NothingIsSaidUnasked) {
  Listener listener;
  const auto channel = MakeSecureChannel(
      {.address_flag = "server", .address = listener.address()}, {});
  ASSERT_THAT(channel, IsOk());
  EXPECT_THAT(listener.Hear(*channel), IsEmpty());
  const auto tenant = MakeSecureChannel({.address_flag = "server",
                                         .address = listener.address(),
                                         .identity = {.tenant = "bob"}},
                                        {});
  ASSERT_THAT(tenant, IsOk());
  EXPECT_THAT(listener.Hear(*tenant),
              ElementsAre(Pair("x-hybridserve-tenant", "bob")));
}

TEST(SecureChannelTest, WrongOptionsAreNamedByTheirFlag) {
  const TlsFiles pair =
      WriteTestCertificate(testing::TempDir() + "/channel_client");
  const auto refusal = [](const SecureChannelOptions& options) {
    return MakeSecureChannel(options, {}).status();
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(refusal({.address_flag = "scheduler", .address = "nowhere"}),
              StatusIs(kInvalid, "--scheduler: "));
  EXPECT_THAT(refusal({.address = "a:1", .tls = pair}),
              StatusIs(kInvalid, "--tls_ca: "));
  TlsFiles half = pair;
  half.key_file.clear();
  EXPECT_THAT(refusal({.address = "a:1", .tls = half}),
              StatusIs(kInvalid, "--tls_key: "));
  EXPECT_THAT(refusal({.address = "a:1", .tls = {.ca_file = pair.key_file}}),
              StatusIs(kInvalid, "--tls_ca: "));
  EXPECT_THAT(refusal({.address = "a:1",
                       .identity = {.api_key_file = Write("none", "\n")}}),
              StatusIs(kInvalid, "--api_key_file: "));
  EXPECT_THAT(refusal({.address = "a:1", .identity = {.tenant = "a b"}}),
              StatusIs(kInvalid, "--tenant: "));
}

}  // namespace
}  // namespace hybridserve
