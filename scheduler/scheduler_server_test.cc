// The server's life: workers that come, are refused and go, health, reflection,
// what one call may take, addresses.

#include "scheduler/scheduler_server.h"

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/testing/http_get.h"
#include "common/testing/status_matchers.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/control_service.grpc.pb.h"
#include "hybridserve/v1/model_service.grpc.pb.h"
#include "scheduler/testing/server_harness.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// A call, with messages both ways, of a method that this test has no stub of.
// Each step waits for its end, and tells whether it went well.
class RawStream {
 public:
  RawStream(const std::shared_ptr<grpc::Channel>& channel,
            const std::string& method)
      : stub_(channel), call_(stub_.PrepareCall(&context_, method, &queue_)) {
    call_->StartCall(nullptr);
    CHECK(Wait());
  }
  ~RawStream() {
    context_.TryCancel();
    queue_.Shutdown();
    while (queue_.Next(&tag_, &ok_)) {
    }
  }

  bool Write(const std::string& message) {
    const grpc::Slice slice(message);
    call_->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    return Wait();
  }
  bool EndWrites() {
    call_->WritesDone(nullptr);
    return Wait();
  }
  bool Read(std::string& message) {
    grpc::ByteBuffer bytes;
    call_->Read(&bytes, nullptr);
    std::vector<grpc::Slice> slices;
    if (!Wait() || !bytes.Dump(&slices).ok()) return false;
    for (const grpc::Slice& part : slices) {
      message.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
    return true;
  }
  grpc::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, nullptr);
    CHECK(Wait());
    return status;
  }

 private:
  bool Wait() { return queue_.Next(&tag_, &ok_) && ok_; }

  grpc::ClientContext context_;
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  const std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  void* tag_ = nullptr;
  bool ok_ = false;
};

class SchedulerServerTest : public ServerTest {
 protected:
  void SetUp() override { StartServer(LoopbackOptions()); }

  // One call of a method that this test has no stub of.
  grpc::Status Call(const std::string& method, const std::string& request,
                    std::string* response) {
    const grpc::Slice slice(request);
    grpc::ByteBuffer bytes(&slice, 1);
    grpc::ByteBuffer answer;
    grpc::ClientContext context;
    grpc::GenericStub stub(channel_);
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareUnaryCall(&context, method, bytes, &queue);
    call->StartCall();
    grpc::Status status;
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    CHECK(queue.Next(&tag, &ok));
    grpc::Slice single;
    if (status.ok() && answer.TrySingleSlice(&single).ok()) {
      response->assign(reinterpret_cast<const char*>(single.begin()),
                       single.size());
    }
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
    return status;
  }

  // HealthCheckResponse.status (field 1) of a service; 0: unknown service.
  int Health(const std::string& service) {
    std::string request;
    if (!service.empty()) {
      request =
          std::string("\x0a") + static_cast<char>(service.size()) + service;
    }
    std::string response;
    const grpc::Status status =
        Call("/grpc.health.v1.Health/Check", request, &response);
    if (status.error_code() == grpc::StatusCode::NOT_FOUND) return 0;
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.size() == 2 ? response[1] : -1;
  }

  v1::Load Load() {
    grpc::ClientContext context;
    v1::GetLoadResponse response;
    EXPECT_TRUE(v1::ControlService::NewStub(channel_)
                    ->GetLoad(&context, {}, &response)
                    .ok());
    return response.load();
  }
};

constexpr int kServing = 1;
constexpr int kNotServing = 2;

TEST_F(SchedulerServerTest, IsHealthyFromTheFirstTokenToTheLastWorker) {
  EXPECT_EQ(Health(""), kNotServing);
  EXPECT_EQ(Health("bytes"), 0);
  EXPECT_EQ(Health("hybridserve.v1.InferenceService"), kNotServing);
  EXPECT_EQ(Health("hybridserve.v1.ControlService"), kServing);
  EXPECT_THAT(Generate(), StatusIs(absl::StatusCode::kUnavailable));
  StartWorker();
  EXPECT_EQ(Health(""), kServing);
  EXPECT_EQ(Health("bytes"), kServing);
  EXPECT_EQ(Health("hybridserve.v1.InferenceService"), kServing);
  EXPECT_THAT(Generate(), IsOk());
  worker_.reset();
  while (Health("bytes") == kServing) std::this_thread::yield();
  EXPECT_EQ(Health(""), kNotServing);
}

TEST_F(SchedulerServerTest, ReflectionListsTheServices) {
  // ServerReflectionRequest.list_services (field 7) = "*".
  RawStream stream(
      channel_,
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  ASSERT_TRUE(stream.Write("\x3a\x01*"));
  std::string text;
  ASSERT_TRUE(stream.Read(text));
  EXPECT_THAT(text, HasSubstr("hybridserve.v1.InferenceService"));
  EXPECT_THAT(text, HasSubstr("hybridserve.v1.ModelService"));
  EXPECT_THAT(text, HasSubstr("hybridserve.v1.ControlService"));
  EXPECT_THAT(text, HasSubstr("grpc.health.v1.Health"));
}

TEST_F(SchedulerServerTest, AnotherWireRevisionIsToldWhatToUpgrade) {
  ScriptedWorker worker(NewChannel(), {.wire_revision = 999});
  EXPECT_THAT(
      worker.WaitUntilRefused(),
      StatusIs(absl::StatusCode::kFailedPrecondition, "upgrade the scheduler"));
}

TEST_F(SchedulerServerTest, AWorkerOfNoSenseHearsSo) {
  for (const bool says_nothing : {false, true}) {
    RawStream stream(NewChannel(),
                     "/hybridserve.worker.v1.WorkerLinkService/Connect");
    ASSERT_TRUE(says_nothing ? stream.EndWrites()
                             : stream.Write("\xff\xff\xff"));
    EXPECT_THAT(FromGrpcStatus(stream.Finish()),
                StatusIs(absl::StatusCode::kInvalidArgument, "ConnectRequest"));
  }
}

TEST_F(SchedulerServerTest, ABadTokenizerIsRefusedByFile) {
  ScriptedWorker worker(NewChannel(), {.change_files = [](ModelFiles& files) {
                          files.tokenizer_json = "{";
                        }});
  EXPECT_THAT(worker.WaitUntilRefused(),
              StatusIs(absl::StatusCode::kInvalidArgument, "tokenizer.json"));
}

TEST_F(SchedulerServerTest, OtherWeightsUnderAUsedNameAreRefused) {
  StartWorker();
  ScriptedWorker other(NewChannel(), {.weights_hash = std::string(64, 'b')});
  EXPECT_THAT(other.WaitUntilRefused(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Generate(), IsOk());
}

TEST_F(SchedulerServerTest, AWorkerThatComesBackTakesTheRequestOver) {
  StartWorker();
  std::future<absl::Status> status = StartHeldRequest();
  worker_ = std::make_unique<ScriptedWorker>(
      NewChannel(), ScriptedWorker::Options{.epoch = 2});
  EXPECT_THAT(status.get(), IsOk());
}

TEST_F(SchedulerServerTest, ASilentWorkerIsLost) {
  SchedulerServerOptions options = LoopbackOptions();
  options.core.worker_lease = absl::Milliseconds(500);
  StartServer(std::move(options));
  StartWorker();
  // While it shows that it lives it is kept, though a step takes longer.
  std::future<absl::Status> status = StartHeldRequest();
  for (int i = 0; i < 20; ++i) {
    worker_->SendHeartbeat();
    absl::SleepFor(absl::Milliseconds(50));
  }
  EXPECT_EQ(Load().workers_size(), 1);
  EXPECT_THAT(worker_->WaitUntilRefused(),
              StatusIs(absl::StatusCode::kUnavailable));
  worker_ = std::make_unique<ScriptedWorker>(
      NewChannel(), ScriptedWorker::Options{.epoch = 2});
  EXPECT_THAT(status.get(), IsOk());
}

TEST_F(SchedulerServerTest, AWorkerThatLeavesFinishesFirst) {
  StartWorker();
  std::future<absl::Status> status = StartHeldRequest();
  EXPECT_EQ(Health("bytes"), kServing);
  worker_->Leave();
  while (Load().workers(0).state() != v1::WORKER_STATE_DRAINING) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_EQ(Health("bytes"), kNotServing);
  worker_->Resume();
  EXPECT_THAT(status.get(), IsOk());
  EXPECT_THAT(worker_->WaitUntilRefused(),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Load().requests().failed(), 0);
}

TEST_F(SchedulerServerTest, SaysHowBusyItIs) {
  StartWorker();
  ASSERT_THAT(Generate(), IsOk());
  ASSERT_TRUE(server_->WaitUntilIdle(absl::InfiniteFuture()));
  worker_->WaitForSequences(0);
  const v1::Load load = Load();
  EXPECT_EQ(load.queue().running(), 0);
  EXPECT_EQ(load.requests().prompt_tokens(), 4);
  EXPECT_EQ(load.requests().completion_tokens(), 124);
  ASSERT_THAT(load.workers(), SizeIs(1));
  const v1::Worker& worker = load.workers(0);
  EXPECT_EQ(worker.state(), v1::WORKER_STATE_READY);
  EXPECT_EQ(worker.model(), "bytes");
  EXPECT_EQ(worker.epoch(), 1);
  EXPECT_EQ(worker.numerics().dtype(), "float32");
  EXPECT_EQ(worker.streamed_layer_bytes(), 900);
  EXPECT_GT(worker.totals().weight_bytes(), 900 * 100);
  ASSERT_THAT(worker.pools(), SizeIs(1));
  EXPECT_EQ(worker.pools(0).half_slots(), 256);
  EXPECT_EQ(worker.pools(0).free(), 256);
  EXPECT_GE(worker.pools(0).peak_kv_blocks(), 8);
  EXPECT_EQ(worker.pools(0).half_slot_bytes(), 16 * 16 * 4);
}

TEST_F(SchedulerServerTest, WatchingLoadSendsAgainUntilCancelled) {
  const auto control = v1::ControlService::NewStub(channel_);
  grpc::ClientContext context;
  v1::WatchLoadRequest request;
  request.set_interval_ms(100);
  const auto reader = control->WatchLoad(&context, request);
  v1::WatchLoadResponse response;
  EXPECT_TRUE(reader->Read(&response));
  EXPECT_TRUE(reader->Read(&response));
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);

  grpc::ClientContext bad_context;
  request.set_interval_ms(1);
  const absl::Status status =
      FromGrpcStatus(control->WatchLoad(&bad_context, request)->Finish());
  EXPECT_EQ(FieldOf(status), "interval_ms");
}

TEST_F(SchedulerServerTest, ListsModelsWithTheirLimits) {
  StartWorker({.half_slots = 4});  // Two KV blocks: 32 tokens.
  const auto models = v1::ModelService::NewStub(channel_);
  grpc::ClientContext context;
  v1::ListModelsResponse list;
  ASSERT_TRUE(models->ListModels(&context, {}, &list).ok());
  ASSERT_THAT(list.models(), SizeIs(1));
  EXPECT_EQ(list.models(0).name(), "bytes");
  EXPECT_EQ(list.models(0).shape().vocab_size(), 257);
  EXPECT_EQ(list.models(0).shape().max_positions(), 128);
  EXPECT_LE(list.models(0).limits().max_sequence_tokens(), 33);
  EXPECT_GE(list.models(0).limits().max_sequence_tokens(), 32);
  EXPECT_EQ(list.models(0).workers(), 1);
  // The default of max_tokens is cut to that, too.
  EXPECT_THAT(Generate(), IsOk());

  grpc::ClientContext get_context;
  v1::GetModelRequest request;
  request.set_name("opt-9t");
  v1::GetModelResponse response;
  EXPECT_EQ(models->GetModel(&get_context, request, &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(SchedulerServerTest, DrainingIsNoHealth) {
  StartWorker();
  EXPECT_EQ(Health(""), kServing);
  server_->Drain();
  EXPECT_EQ(Health(""), kNotServing);
}

TEST_F(SchedulerServerTest, LargerMessagesThanAllowedAreRefused) {
  SchedulerServerOptions options = LoopbackOptions();
  options.max_message_bytes = kMinMaxMessageBytes;
  StartServer(std::move(options));
  v1::TokenizeRequest request;
  v1::TokenizeResponse response;
  request.set_text(std::string(kMinMaxMessageBytes, 'x'));
  grpc::ClientContext context;
  EXPECT_EQ(inference_->Tokenize(&context, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  StartWorker();
  request.set_text(std::string(kMinMaxMessageBytes - 1024, 'x'));
  grpc::ClientContext smaller;
  EXPECT_TRUE(inference_->Tokenize(&smaller, request, &response).ok());
}

TEST_F(SchedulerServerTest, CallsWithTooMuchMetadataAreRefused) {
  StartWorker();
  grpc::ClientContext context;
  context.AddMetadata("x-much", std::string(64 << 10, 'x'));
  v1::GenerateRequest request;
  request.set_prompt("abc");
  v1::GenerateResponse response;
  // gRPC may end the connection with the call, so this has its own.
  EXPECT_FALSE(v1::InferenceService::NewStub(NewChannel())
                   ->Generate(&context, request, &response)
                   .ok());
  EXPECT_THAT(Generate(), IsOk());
}

TEST_F(SchedulerServerTest, AnInProcessChannelNeedsNoPort) {
  SchedulerServerOptions options = LoopbackOptions();
  options.listen.clear();
  worker_.reset();
  server_ = SchedulerServer::Create(std::move(options)).value();
  EXPECT_EQ(server_->address(), "");
  channel_ = server_->InProcessChannel();
  inference_ = v1::InferenceService::NewStub(channel_);
  worker_ = std::make_unique<ScriptedWorker>(server_->InProcessChannel(),
                                             ScriptedWorker::Options{});
  ASSERT_TRUE(server_->WaitUntilReady(absl::InfiniteFuture()));
  EXPECT_THAT(Generate(), IsOk());
}

TEST_F(SchedulerServerTest, APublicAddressWantsTlsOrAWord) {
  SchedulerServerOptions options = LoopbackOptions();
  options.listen = "0.0.0.0:0";
  EXPECT_THAT(SchedulerServer::Create(std::move(options)),
              StatusIs(absl::StatusCode::kFailedPrecondition, "--insecure"));
  options = LoopbackOptions();
  options.listen = "0.0.0.0:0";
  options.insecure = true;
  EXPECT_THAT(SchedulerServer::Create(std::move(options)), IsOk());
}

TEST_F(SchedulerServerTest, BadAddressesAreNamedByTheirFlag) {
  SchedulerServerOptions options = LoopbackOptions();
  options.listen = "nonsense";
  EXPECT_THAT(SchedulerServer::Create(std::move(options)),
              StatusIs(absl::StatusCode::kInvalidArgument, "--listen"));
  options = LoopbackOptions();
  options.listen = "127.0.0.1:99999";
  EXPECT_THAT(SchedulerServer::Create(std::move(options)),
              StatusIs(absl::StatusCode::kInvalidArgument, "--listen"));
  options = LoopbackOptions();
  options.listen = server_->address();  // In use.
  EXPECT_THAT(SchedulerServer::Create(std::move(options)),
              StatusIs(absl::StatusCode::kUnavailable, "--listen"));
  options = LoopbackOptions();
  options.metrics_listen = "nonsense";
  EXPECT_THAT(SchedulerServer::Create(std::move(options)),
              StatusIs(absl::StatusCode::kInvalidArgument, "--metrics_listen"));
}

TEST_F(SchedulerServerTest, MetricsAreServedOnTheirOwnPort) {
  SchedulerServerOptions options = LoopbackOptions();
  options.metrics_listen = "127.0.0.1:0";
  StartServer(std::move(options));
  StartWorker();
  ASSERT_THAT(Generate(), IsOk());
  const std::string page = HttpGet(server_->metrics_address(), "/metrics");
  EXPECT_THAT(page, HasSubstr("hybridserve_requests_waiting 0"));
  EXPECT_THAT(page, HasSubstr("hybridserve_generation_tokens_total{"
                              "model_name=\"bytes\"} 124"));
  EXPECT_THAT(page, HasSubstr("hybridserve_offload_bytes_total{"
                              "model_name=\"bytes\",worker=\"scripted\","
                              "dir=\"in\",kind=\"weight\"}"));
  EXPECT_THAT(page, HasSubstr("hybridserve_cache_blocks{"
                              "model_name=\"bytes\",worker=\"scripted\","
                              "kind=\"act\",tier=\"host\"} 0"));
  EXPECT_THAT(page, HasSubstr("hybridserve_worker_up"));
}

TEST_F(SchedulerServerTest, AWorkerWithoutRoomForATokenIsRefused) {
  ScriptedWorker worker(NewChannel(), {.half_slots = 1});
  EXPECT_THAT(worker.WaitUntilRefused(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(Health(""), kNotServing);
}

}  // namespace
}  // namespace hybridserve
