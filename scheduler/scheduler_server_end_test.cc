// What clients hear as the server goes.

#include <future>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/time.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/control_service.grpc.pb.h"
#include "scheduler/scheduler_server.h"
#include "scheduler/testing/server_harness.h"

namespace hybridserve {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

class SchedulerServerEndTest : public ServerTest {
 protected:
  void SetUp() override { StartServer(LoopbackOptions()); }
};

TEST_F(SchedulerServerEndTest, DrainingFinishesWhatWasAccepted) {
  StartWorker();
  std::future<absl::Status> status = StartHeldRequest();
  grpc::ClientContext context;
  v1::DrainResponse response;
  ASSERT_TRUE(v1::ControlService::NewStub(channel_)
                  ->Drain(&context, {}, &response)
                  .ok());
  EXPECT_TRUE(server_->draining());
  const absl::Status refused = Generate();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(RetryDelayOf(refused).has_value());
  worker_->Resume();
  server_->EndRequests(absl::InfiniteDuration());
  EXPECT_THAT(status.get(), IsOk());
}

TEST_F(SchedulerServerEndTest, WhatDoesNotFinishIsEnded) {
  StartWorker();
  std::future<absl::Status> status = StartHeldRequest();
  server_->EndRequests(absl::ZeroDuration());
  EXPECT_THAT(status.get(), StatusIs(absl::StatusCode::kUnavailable,
                                     HasSubstr("shuts down")));
}

// Until the process ends: gRPC's own shutdown would say CANCELLED to some.
TEST_F(SchedulerServerEndTest, CallsThatComeTooLateHearUnavailable) {
  constexpr int kClients = 4;
  absl::BlockingCounter asked(kClients);
  std::vector<absl::Status> ends(kClients);
  std::vector<std::thread> clients;
  clients.reserve(kClients);
  for (absl::Status& end : ends) {
    clients.emplace_back([&] {
      const auto control = v1::ControlService::NewStub(NewChannel());
      for (bool first = true; end.ok(); first = false) {
        grpc::ClientContext context;
        v1::GetLoadResponse response;
        end = FromGrpcStatus(control->GetLoad(&context, {}, &response));
        if (first) asked.DecrementCount();
      }
    });
  }
  asked.Wait();
  server_->EndRequests(absl::ZeroDuration());
  for (std::thread& client : clients) client.join();
  EXPECT_THAT(ends, Each(StatusIs(absl::StatusCode::kUnavailable)));
  EXPECT_THAT(Generate(), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace hybridserve
