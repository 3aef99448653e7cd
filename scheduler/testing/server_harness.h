#ifndef HYBRIDSERVE_SCHEDULER_TESTING_SERVER_HARNESS_H_
#define HYBRIDSERVE_SCHEDULER_TESTING_SERVER_HARNESS_H_

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/grpc_status.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"
#include "scheduler/policy/policy.h"
#include "scheduler/scheduler_server.h"
#include "scheduler/testing/scripted_worker.h"

namespace hybridserve {

// Options of a server on a free loopback port.
inline SchedulerServerOptions LoopbackOptions() {
  SchedulerServerOptions options;
  options.policy = ParsePolicy("kv", std::nullopt).value();
  options.listen = "127.0.0.1:0";
  return options;
}

// A server with a scripted worker, over real sockets.
class ServerTest : public testing::Test {
 protected:
  // Replaces the server by one of `options`; no worker yet.
  void StartServer(SchedulerServerOptions options) {
    worker_.reset();
    server_ = SchedulerServer::Create(std::move(options)).value();
    channel_ = NewChannel();
    inference_ = v1::InferenceService::NewStub(channel_);
  }

  // Waits for the worker's first token and the end of what it was for.
  void StartWorker(ScriptedWorker::Options options = {}) {
    worker_ =
        std::make_unique<ScriptedWorker>(NewChannel(), std::move(options));
    ASSERT_TRUE(server_->WaitUntilReady(absl::InfiniteFuture()));
    worker_->WaitForSequences(0);
  }

  // What becomes of a short prompt; with a key, if there is one.
  absl::Status Generate(const std::string& api_key = "") {
    grpc::ClientContext context;
    if (!api_key.empty()) {
      context.AddMetadata("authorization", "Bearer " + api_key);
    }
    v1::GenerateRequest request;
    request.set_prompt("abc");
    v1::GenerateResponse response;
    return FromGrpcStatus(inference_->Generate(&context, request, &response));
  }

  // A request that runs, and that the worker keeps back until Resume().
  std::future<absl::Status> StartHeldRequest() {
    worker_->Pause();
    auto status = std::async(std::launch::async, [this] { return Generate(); });
    worker_->WaitForSequences(1);
    return status;
  }

  // A connection of its own.
  std::shared_ptr<grpc::Channel> NewChannel() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(
        server_->address(), grpc::InsecureChannelCredentials(), arguments);
  }

  void TearDown() override { worker_.reset(); }

  std::unique_ptr<SchedulerServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::InferenceService::Stub> inference_;
  std::unique_ptr<ScriptedWorker> worker_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TESTING_SERVER_HARNESS_H_
