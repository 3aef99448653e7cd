// How requests end before their time, over real sockets, with a worker that
// follows a script and can be held up.

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/control_service.grpc.pb.h"
#include "hybridserve/v1/inference_service.pb.h"
#include "scheduler/testing/server_harness.h"

namespace hybridserve {
namespace {

using ::testing::Optional;
using ::testing::SizeIs;

v1::GenerateRequest Request(const std::string& prompt, int max_tokens) {
  v1::GenerateRequest request;
  request.set_prompt(prompt);
  request.mutable_stopping()->set_max_tokens(max_tokens);
  return request;
}

class RequestEndTest : public ServerTest {
 protected:
  void SetUp() override {
    StartServer(LoopbackOptions());
    StartWorker();
  }

  absl::Status Generate(const v1::GenerateRequest& request) {
    grpc::ClientContext context;
    v1::GenerateResponse response;
    return FromGrpcStatus(inference_->Generate(&context, request, &response));
  }
};

TEST_F(RequestEndTest, ACancelledCallGivesBackItsSequence) {
  worker_->Pause();
  grpc::ClientContext context;
  v1::GenerateStreamRequest request;
  request.set_prompt("abc");
  const auto reader = inference_->GenerateStream(&context, request);
  worker_->WaitForSequences(1);
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  worker_->Resume();
  worker_->WaitForSequences(0);
  EXPECT_TRUE(server_->WaitUntilIdle(absl::InfiniteFuture()));
}

TEST_F(RequestEndTest, AnAbortedRequestFinishesAsCancelled) {
  worker_->Pause();
  grpc::ClientContext context;
  v1::GenerateStreamRequest request;
  request.set_prompt("abc");
  request.set_request_id("doomed");
  const auto reader = inference_->GenerateStream(&context, request);
  v1::GenerateStreamResponse event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_TRUE(event.has_accepted());

  const auto control = v1::ControlService::NewStub(channel_);
  const auto abort = [&](const std::string& id) {
    grpc::ClientContext abort_context;
    v1::AbortRequest abort_request;
    abort_request.set_request_id(id);
    v1::AbortResponse abort_response;
    return FromGrpcStatus(
        control->Abort(&abort_context, abort_request, &abort_response));
  };
  EXPECT_THAT(abort("doomed"), IsOk());
  EXPECT_THAT(abort("doomed"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(FieldOf(abort("")), Optional(std::string("request_id")));
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(event.finished().reason(), v1::FINISH_REASON_CANCELLED);
  EXPECT_TRUE(reader->Finish().ok());
  worker_->Resume();
}

TEST_F(RequestEndTest, ALiveRequestIdIsNotTakenTwice) {
  worker_->Pause();
  grpc::ClientContext context;
  v1::GenerateStreamRequest request;
  request.set_prompt("abc");
  request.set_request_id("mine");
  const auto reader = inference_->GenerateStream(&context, request);
  v1::GenerateStreamResponse event;
  ASSERT_TRUE(reader->Read(&event));
  v1::GenerateRequest again = Request("abc", 4);
  again.set_request_id("mine");
  EXPECT_THAT(Generate(again), StatusIs(absl::StatusCode::kAlreadyExists));
  worker_->Resume();
  while (reader->Read(&event)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_THAT(Generate(again), IsOk());
}

TEST_F(RequestEndTest, ADeadlineThatPassesEndsTheRequest) {
  worker_->Pause();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(50));
  v1::GenerateResponse response;
  EXPECT_EQ(
      inference_->Generate(&context, Request("abc", 4), &response).error_code(),
      grpc::StatusCode::DEADLINE_EXCEEDED);
  worker_->Resume();
  worker_->WaitForSequences(0);
}

TEST_F(RequestEndTest, AClientThatDoesNotReadHoldsNobodyUp) {
  grpc::ClientContext context;
  v1::GenerateStreamRequest request;
  request.set_prompt("abc");
  const auto reader = inference_->GenerateStream(&context, request);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Generate(Request("abc", 100)), IsOk());
  }
  // And it has missed nothing.
  std::string text;
  v1::GenerateStreamResponse event;
  while (reader->Read(&event)) text += event.token_output().text_delta();
  EXPECT_THAT(text, SizeIs(124));
  EXPECT_TRUE(reader->Finish().ok());
}

}  // namespace
}  // namespace hybridserve
