// The dialer against a scheduler that is only its service, over real sockets.

#include "worker/rpc/scheduler_dialer.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/testing/status_matchers.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "hybridserve/worker/v1/worker_link_service.grpc.pb.h"
#include "worker/memory_plan.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

// Answers each plan with an empty result.
class EchoWorker final : public Worker {
 public:
  EchoWorker() {
    info_.name = "echo";
    info_.model_name = "m";
    info_.files.config_json = "{}";
    info_.numerics.weights_hash = std::string(64, 'a');
    info_.numerics.backend = "cpu";
    info_.staging_half_slots = 1;
    info_.max_step_tokens = 1;
    info_.max_logit_rows = 1;
  }

  const WorkerInfo& info() const override { return info_; }
  const MemoryPlan& memory_plan() const override { return memory_plan_; }
  int64_t unpinned_bytes() const override { return 0; }
  absl::Status Measure() override { return absl::OkStatus(); }
  void Start(ResultCallback on_result) override {
    on_result_ = std::move(on_result);
  }
  void Submit(StepPlan plan) override { on_result_({.fence = plan.fence}); }
  void Reset(uint64_t epoch) override {
    absl::MutexLock lock(&mutex_);
    epochs_.push_back(epoch);
  }
  void Stop() override {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }

  std::vector<uint64_t> epochs() const {
    absl::MutexLock lock(&mutex_);
    return epochs_;
  }
  bool stopped() const {
    absl::MutexLock lock(&mutex_);
    return stopped_;
  }

 private:
  WorkerInfo info_;
  MemoryPlan memory_plan_;
  ResultCallback on_result_;
  mutable absl::Mutex mutex_;
  std::vector<uint64_t> epochs_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

// Accepts a worker, sends it one plan, keeps what it said and hangs up after
// the result, or if it doesn't, when the worker wants to leave.
class OnePlanScheduler final : public pb::WorkerLinkService::Service {
 public:
  grpc::Status Connect(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<pb::ConnectResponse, pb::ConnectRequest>* stream)
      override {
    pb::ConnectRequest message;
    while (stream->Read(&message)) {
      {
        absl::MutexLock lock(&mutex_);
        heard_.push_back(message);
      }
      if (message.has_register_()) {
        grpc::Status refusal = Refusal();
        if (!refusal.ok()) return refusal;
        pb::ConnectResponse response;
        response.mutable_fence()->set_term(7);
        response.mutable_fence()->set_epoch(message.fence().epoch());
        response.mutable_registered()->set_worker_id(1);
        response.mutable_registered()->set_heartbeat_interval_ms(
            heartbeat_interval_ms);
        stream->Write(response);
        response.mutable_fence()->set_step(1);
        response.mutable_step_plan();
        stream->Write(response);
      }
      if (message.has_step_result() && !keep_on) return grpc::Status::OK;
      if (message.has_leave()) return grpc::Status::OK;
    }
    return grpc::Status::OK;
  }

  // Set before a worker is served.
  std::atomic<bool> keep_on{false};
  std::atomic<uint32_t> heartbeat_interval_ms{0};

  void Refuse(grpc::Status refusal) {
    absl::MutexLock lock(&mutex_);
    refusal_ = std::move(refusal);
  }

  // Waits for the n-th (from 0) message of a kind.
  pb::ConnectRequest Wait(pb::ConnectRequest::MessageCase kind, int n = 0) {
    absl::MutexLock lock(&mutex_);
    std::optional<pb::ConnectRequest> found;
    const auto there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      int left = n;
      for (const pb::ConnectRequest& message : heard_) {
        if (message.message_case() == kind && left-- == 0) found = message;
      }
      return found.has_value();
    };
    mutex_.Await(absl::Condition(&there));
    return *found;
  }

 private:
  grpc::Status Refusal() {
    absl::MutexLock lock(&mutex_);
    return refusal_;
  }

  absl::Mutex mutex_;
  grpc::Status refusal_ ABSL_GUARDED_BY(mutex_) = grpc::Status::OK;
  std::vector<pb::ConnectRequest> heard_ ABSL_GUARDED_BY(mutex_);
};

class SchedulerDialerTest : public testing::Test {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&scheduler_);
    server_ = builder.BuildAndStart();
    dialer_ = std::make_unique<SchedulerDialer>(
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", port),
                            grpc::InsecureChannelCredentials()),
        SchedulerDialer::Options{.worker_name = "w",
                                 .model_name = "m",
                                 .build_id = "b",
                                 .first_backoff = absl::Milliseconds(1)});
  }

  void TearDown() override {
    dialer_.reset();
    server_->Shutdown();
  }

  OnePlanScheduler scheduler_;
  std::unique_ptr<grpc::Server> server_;
  EchoWorker worker_;
  std::unique_ptr<SchedulerDialer> dialer_;
};

TEST_F(SchedulerDialerTest, SaysHelloAndHowFarItIsBeforeThereIsAWorker) {
  const pb::ConnectRequest hello = scheduler_.Wait(pb::ConnectRequest::kHello);
  EXPECT_EQ(hello.hello().model_name(), "m");
  EXPECT_EQ(hello.hello().worker_name(), "w");
  EXPECT_GT(hello.fence().epoch(), 0u);
  dialer_->ReportProgress(
      {.phase = "loading", .done_bytes = 5, .total_bytes = 9});
  const auto progress = scheduler_.Wait(pb::ConnectRequest::kLoadProgress);
  EXPECT_EQ(progress.load_progress().stage(), "loading");
  EXPECT_EQ(progress.load_progress().loaded_bytes(), 5);
  EXPECT_THAT(dialer_->WaitUntilAccepted(absl::InfinitePast()),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(SchedulerDialerTest, BringsPlansToTheWorkerAndResultsBack) {
  dialer_->Serve(worker_);
  const auto registration = scheduler_.Wait(pb::ConnectRequest::kRegister);
  EXPECT_EQ(registration.register_().files_size(), 1);
  EXPECT_EQ(worker_.epochs().front(), registration.fence().epoch());
  const auto result = scheduler_.Wait(pb::ConnectRequest::kStepResult);
  EXPECT_EQ(result.fence().term(), 7u);
  EXPECT_EQ(result.fence().epoch(), registration.fence().epoch());
  EXPECT_EQ(result.fence().step(), 1u);
}

TEST_F(SchedulerDialerTest, DialsAgainWithALargerEpoch) {
  dialer_->Serve(worker_);
  const auto first = scheduler_.Wait(pb::ConnectRequest::kRegister, 0);
  const auto third = scheduler_.Wait(pb::ConnectRequest::kRegister, 2);
  EXPECT_GT(third.fence().epoch(), first.fence().epoch());
  EXPECT_GE(worker_.epochs().size(), 3u);
}

TEST_F(SchedulerDialerTest, ABadModelIsNotTriedAgain) {
  scheduler_.Refuse(
      grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "tokenizer.json: bad"));
  dialer_->Serve(worker_);
  EXPECT_THAT(
      dialer_->WaitUntilAccepted(absl::InfiniteFuture()),
      StatusIs(absl::StatusCode::kInvalidArgument, "tokenizer.json: bad"));
}

TEST_F(SchedulerDialerTest, OtherRefusalsAreTriedAgain) {
  scheduler_.Refuse(
      grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "other weights"));
  dialer_->Serve(worker_);
  scheduler_.Wait(pb::ConnectRequest::kRegister, 1);
  scheduler_.Refuse(grpc::Status::OK);
  EXPECT_THAT(dialer_->WaitUntilAccepted(absl::InfiniteFuture()), IsOk());
}

TEST_F(SchedulerDialerTest, ShowsThatItLivesAsOftenAsWanted) {
  scheduler_.keep_on = true;
  scheduler_.heartbeat_interval_ms = 5;
  dialer_->Serve(worker_);
  scheduler_.Wait(pb::ConnectRequest::kHeartbeat, 3);
}

TEST_F(SchedulerDialerTest, LeavesWhenTheSchedulerLetsItGo) {
  scheduler_.keep_on = true;
  dialer_->Serve(worker_);
  ASSERT_THAT(dialer_->WaitUntilAccepted(absl::InfiniteFuture()), IsOk());
  EXPECT_TRUE(dialer_->Leave(absl::InfiniteFuture()));
  scheduler_.Wait(pb::ConnectRequest::kLeave);
  EXPECT_EQ(worker_.epochs().size(), 1u);  // It did not dial again.
  dialer_->Stop();
  EXPECT_TRUE(worker_.stopped());
}

TEST_F(SchedulerDialerTest, LeavesAtOnceWithoutAScheduler) {
  server_->Shutdown();
  EXPECT_TRUE(dialer_->Leave(absl::InfiniteFuture()));
}

TEST_F(SchedulerDialerTest, StoppingStopsTheWorker) {
  dialer_->Serve(worker_);
  scheduler_.Wait(pb::ConnectRequest::kRegister);
  dialer_->Stop();
  EXPECT_TRUE(worker_.stopped());
  EXPECT_THAT(dialer_->WaitUntilAccepted(absl::InfiniteFuture()),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST(NextEpochTest, AlwaysGrows) {
  uint64_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t next = NextEpoch();
    EXPECT_GT(next, last);
    last = next;
  }
}

}  // namespace
}  // namespace hybridserve
