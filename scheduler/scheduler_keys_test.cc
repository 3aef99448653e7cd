// Who may do what where the server has --api_keys.

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/grpc_status.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/control_service.grpc.pb.h"
#include "scheduler/scheduler_server.h"
#include "scheduler/testing/server_harness.h"

namespace hybridserve {
namespace {

using SchedulerKeysTest = ServerTest;

// A file in the way of --api_keys.
std::string WriteKeys(const std::string& text) {
  std::string path = testing::TempDir() + "/api_keys";
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
  return path;
}

TEST_F(SchedulerKeysTest, WithKeysEveryCallNeedsOne) {
  SchedulerServerOptions options = LoopbackOptions();
  options.api_keys_file =
      WriteKeys("k1 roles=worker\nk2 tenant=alice\nk3 roles=control\n");
  StartServer(std::move(options));
  for (const auto& [key, code] :
       {std::pair("guess", absl::StatusCode::kUnauthenticated),
        std::pair("k2", absl::StatusCode::kPermissionDenied)}) {
    ScriptedWorker stranger(NewChannel(), {.api_key = key});
    EXPECT_THAT(stranger.WaitUntilRefused(), StatusIs(code));
  }
  StartWorker({.api_key = "k1"});
  EXPECT_THAT(Generate(), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(Generate("k4"), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(Generate("k1"), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Generate("k3"), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Generate("k2"), IsOk());
}

TEST_F(SchedulerKeysTest, OnlyAControlKeyDrains) {
  SchedulerServerOptions options = LoopbackOptions();
  options.api_keys_file = WriteKeys("i roles=inference\nc roles=control\n");
  StartServer(std::move(options));
  const auto control = v1::ControlService::NewStub(channel_);
  const auto drain = [&](const std::string& key) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + key);
    v1::DrainResponse response;
    return FromGrpcStatus(control->Drain(&context, {}, &response));
  };
  EXPECT_THAT(drain("i"), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_FALSE(server_->draining());
  EXPECT_THAT(drain("c"), IsOk());
  EXPECT_TRUE(server_->draining());
}

TEST_F(SchedulerKeysTest, KeysFollowTheirFileUnlessItIsBad) {
  SchedulerServerOptions options = LoopbackOptions();
  options.api_keys_file = WriteKeys("old");
  StartServer(std::move(options));
  StartWorker({.api_key = "old"});
  ASSERT_THAT(Generate("old"), IsOk());
  WriteKeys("new\nnewer");
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (!Generate("new").ok() && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(100));
  }
  EXPECT_THAT(Generate("new"), IsOk());
  EXPECT_THAT(Generate("newer"), IsOk());
  EXPECT_THAT(Generate("old"), StatusIs(absl::StatusCode::kUnauthenticated));

  WriteKeys("old\nnew nonsense");
  absl::SleepFor(absl::Seconds(4));  // Several looks at the file.
  EXPECT_THAT(Generate("new"), IsOk());
  EXPECT_THAT(Generate("old"), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(SchedulerKeysTest, ABadFileOfKeysIsRefusedAtStart) {
  SchedulerServerOptions options = LoopbackOptions();
  options.api_keys_file = WriteKeys("# none");
  EXPECT_THAT(SchedulerServer::Create(std::move(options)),
              StatusIs(absl::StatusCode::kInvalidArgument, "--api_keys: "));
}

}  // namespace
}  // namespace hybridserve
