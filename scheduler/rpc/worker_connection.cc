#include "scheduler/rpc/worker_connection.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "common/wire/step_plan_wire.h"
#include "common/wire/step_result_wire.h"
#include "common/wire/worker_info_wire.h"
#include "common/worker_link.h"
#include "glog/logging.h"
#include "grpcpp/support/status.h"
#include "scheduler/core/request.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

constexpr size_t kMaxStageBytes = 256;

absl::Status Unexpected(absl::string_view message) {
  return absl::InvalidArgumentError(
      absl::StrCat("a message that is not expected now: ", message));
}

}  // namespace

// The core's handle on a connection.
class WorkerConnection::Link final : public WorkerLink {
 public:
  explicit Link(std::shared_ptr<WorkerConnection> connection)
      : connection_(std::move(connection)) {}
  ~Link() override {
    // A link that the core refused is closed by its caller, who knows why.
    if (!connection_->worker_.has_value()) return;
    connection_->removed_ = true;
    connection_->LeaveDirectory();
    connection_->Close(
        absl::UnavailableError("the scheduler dropped this connection"));
  }

  void Send(StepPlan plan) override { connection_->Send(plan); }
  void OnProven() override {
    connection_->proven_ = true;
    const std::optional<ConnectionId> id = connection_->connection();
    if (id.has_value()) connection_->environment_.directory.SetReady(*id);
  }

 private:
  const std::shared_ptr<WorkerConnection> connection_;  // Shared with gRPC.
};

// A request for a token, which shows that a worker works. The core runs it
// there unless others had waited for the worker, and those show it as well.
// Where it ran elsewhere, and the worker has nothing to do, it is asked for
// again.
class WorkerConnection::WarmUp final : public RequestObserver {
 public:
  explicit WarmUp(std::shared_ptr<WorkerConnection> connection)
      : connection_(std::move(connection)) {}

  bool OnToken(const ProducedToken&) override { return true; }
  void OnFinished(FinishReason, const Usage&) override {
    if (connection_->proven_) return;
    // Not from within the core.
    connection_->environment_.core.Post(
        [connection = connection_](SchedulerCore& core) {
          if (connection->proven_ || connection->removed_) return;
          for (const WorkerSnapshot& worker : core.Snapshot().workers) {
            if (worker.id == connection->worker_ && worker.running == 0) {
              connection->WarmUpModel(core).IgnoreError();
            }
          }
        });
  }
  // The worker drains, or is no good.
  void OnError(const absl::Status& status) override {
    LOG(WARNING) << "warm-up failed: worker="
                 << connection_->hello_.worker_name() << " " << status;
  }

 private:
  const std::shared_ptr<WorkerConnection> connection_;  // Shared with gRPC.
};

std::shared_ptr<WorkerConnection> WorkerConnection::Start(
    const WorkerEnvironment& environment) {
  std::shared_ptr<WorkerConnection> connection(
      new WorkerConnection(environment));
  connection->self_ = connection;
  connection->StartRead(&connection->incoming_);
  return connection;
}

void WorkerConnection::Send(const StepPlan& plan) {
  pb::ConnectResponse message;
  FenceToWire(plan.fence, *message.mutable_fence());
  StepPlanToWire(plan, *message.mutable_step_plan());
  {
    absl::MutexLock lock(&mutex_);
    if (end_.has_value()) return;
    pending_.push_back(std::move(message));
  }
  Continue();
}

void WorkerConnection::Close(absl::Status status) {
  {
    absl::MutexLock lock(&mutex_);
    if (end_.has_value()) return;
    end_ = std::move(status);
    pending_.clear();
  }
  Continue();
}

void WorkerConnection::OnReadDone(bool ok) {
  bool closed = false;
  {
    absl::MutexLock lock(&mutex_);
    closed = end_.has_value();
  }
  if (closed) return;  // Its messages count no more.
  if (!ok) {
    // Said to a worker that is still there to hear it: one that hangs up is
    // not, and none ends its side of a call that goes on.
    return Close(absl::InvalidArgumentError(
        "the worker ended its messages, or sent what is no ConnectRequest"));
  }
  const absl::Status status = Take(incoming_);
  if (!status.ok()) {
    LOG(WARNING) << "worker refused: name=" << hello_.worker_name()
                 << " model=" << hello_.model_name() << " " << status;
    return Close(status);
  }
  incoming_.Clear();
  StartRead(&incoming_);
}

void WorkerConnection::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
  }
  if (!ok) Close(absl::UnavailableError("the worker is gone"));
  Continue();
}

void WorkerConnection::OnCancel() {
  Close(absl::CancelledError("the worker is gone"));
}

void WorkerConnection::OnDone() {
  LeaveDirectory();
  environment_.core.Post([self = self_](SchedulerCore& core) {
    if (!self->worker_.has_value() || self->removed_) return;
    core.RemoveWorker(*self->worker_,
                      absl::UnavailableError("the worker's connection ended"));
  });
  LOG(INFO) << "worker disconnected: name=" << hello_.worker_name()
            << " model=" << hello_.model_name();
  const std::shared_ptr<WorkerConnection> last = std::move(self_);
}

void WorkerConnection::LeaveDirectory() {
  std::optional<ConnectionId> connection;
  {
    absl::MutexLock lock(&mutex_);
    connection = std::exchange(connection_, std::nullopt);
  }
  if (connection.has_value()) environment_.directory.Disconnect(*connection);
}

std::optional<ConnectionId> WorkerConnection::connection() const {
  absl::MutexLock lock(&mutex_);
  return connection_;
}

absl::Status WorkerConnection::Take(const pb::ConnectRequest& message) {
  if (phase_ == Phase::kHello) return TakeHello(message);
  if (message.fence().epoch() != epoch_) return absl::OkStatus();  // Stale.
  const bool loading = phase_ == Phase::kLoading;
  switch (message.message_case()) {
    case pb::ConnectRequest::kLoadProgress:
      return loading ? TakeProgress(message.load_progress())
                     : Unexpected("load_progress");
    case pb::ConnectRequest::kFileChunk:
      return loading ? files_.Add(message.file_chunk())
                     : Unexpected("file_chunk");
    case pb::ConnectRequest::kRegister:
      return loading ? TakeRegister(message.register_())
                     : Unexpected("register");
    case pb::ConnectRequest::kStepResult:
      return loading ? Unexpected("step_result") : TakeResult(message);
    case pb::ConnectRequest::kHeartbeat:
      if (loading) return Unexpected("heartbeat");
      TakeHeartbeat();
      return absl::OkStatus();
    case pb::ConnectRequest::kLeave:
      TakeLeave();
      return absl::OkStatus();
    case pb::ConnectRequest::kHello:
      return Unexpected("hello");
    case pb::ConnectRequest::MESSAGE_NOT_SET:
      break;
  }
  return InvalidFieldError("message", "is not set");
}

absl::Status WorkerConnection::TakeHello(const pb::ConnectRequest& message) {
  if (!message.has_hello()) {
    return InvalidFieldError("hello", "is not the first message");
  }
  // What is not fit for a log is not kept for one.
  RETURN_IF_ERROR(CheckHello(message.hello()));
  hello_ = message.hello();
  epoch_ = message.fence().epoch();
  phase_ = Phase::kLoading;
  const ConnectionId connection = environment_.directory.Connect(
      {.name = hello_.worker_name(), .model = hello_.model_name()});
  absl::MutexLock lock(&mutex_);
  connection_ = connection;
  return absl::OkStatus();
}

absl::Status WorkerConnection::TakeProgress(const pb::LoadProgress& progress) {
  if (progress.stage().size() > kMaxStageBytes) {
    return InvalidFieldError("load_progress.stage", "is too long");
  }
  if (progress.loaded_bytes() < 0 ||
      progress.loaded_bytes() > progress.total_bytes()) {
    return InvalidFieldError("load_progress.loaded_bytes",
                             "is not in [0, total_bytes]");
  }
  const std::optional<ConnectionId> connection = this->connection();
  if (!connection.has_value()) return absl::OkStatus();
  environment_.directory.SetProgress(*connection,
                                     {.name = hello_.worker_name(),
                                      .model = hello_.model_name(),
                                      .stage = progress.stage(),
                                      .loaded_bytes = progress.loaded_bytes(),
                                      .total_bytes = progress.total_bytes()});
  return absl::OkStatus();
}

absl::Status WorkerConnection::TakeRegister(const pb::Register& registration) {
  ASSIGN_OR_RETURN(ModelFiles files, files_.Finish(registration));
  ASSIGN_OR_RETURN(
      WorkerInfo info,
      WorkerInfoFromWire(hello_, epoch_, std::move(files), registration));
  ASSIGN_OR_RETURN(std::shared_ptr<const ServedModel> model,
                   environment_.models.Load(info));
  phase_ = Phase::kRegistered;
  const bool posted =
      environment_.core.Post([self = shared_from_this(), info = std::move(info),
                              model = std::move(model)](SchedulerCore& core) {
        self->AddToCore(core, info, model);
      });
  if (posted) return absl::OkStatus();
  return absl::UnavailableError("the scheduler has stopped");
}

absl::Status WorkerConnection::TakeResult(const pb::ConnectRequest& message) {
  if (message.fence().term() != environment_.term) return absl::OkStatus();
  ASSIGN_OR_RETURN(StepResult result,
                   StepResultFromWire(FenceFromWire(message.fence()),
                                      message.step_result()));
  environment_.core.Post(
      [self = shared_from_this(),
       result = std::move(result)](SchedulerCore& core) mutable {
        if (self->worker_.has_value() && !self->removed_) {
          core.OnResult(*self->worker_, std::move(result));
        }
      });
  return absl::OkStatus();
}

void WorkerConnection::TakeHeartbeat() {
  environment_.core.Post([self = shared_from_this()](SchedulerCore& core) {
    if (self->worker_.has_value() && !self->removed_) {
      core.OnHeartbeat(*self->worker_);
    }
  });
}

void WorkerConnection::TakeLeave() {
  LOG(INFO) << "worker leaves: name=" << hello_.worker_name()
            << " model=" << hello_.model_name();
  const std::optional<ConnectionId> connection = this->connection();
  if (connection.has_value()) environment_.directory.SetLeaving(*connection);
  environment_.core.Post([self = shared_from_this()](SchedulerCore& core) {
    if (!self->worker_.has_value()) {
      self->leaving_ = true;
      return self->Close(absl::OkStatus());
    }
    if (!self->removed_) core.DrainWorker(*self->worker_);
  });
}

void WorkerConnection::AddToCore(SchedulerCore& core, const WorkerInfo& info,
                                 std::shared_ptr<const ServedModel> model) {
  if (leaving_) return;
  const absl::StatusOr<WorkerId> worker =
      core.AddWorker(info, std::make_unique<Link>(shared_from_this()));
  if (!worker.ok()) {
    LOG(WARNING) << "worker refused: name=" << info.name
                 << " model=" << info.model_name << " " << worker.status();
    return Close(worker.status());
  }
  worker_ = *worker;
  // Before the acceptance, which waits with all plans until it is queued.
  warm_up_ = {.model = model->name,
              .prompt = {static_cast<int32_t>(
                  std::max<int64_t>(0, model->config.bos_token_id))},
              .max_tokens = 1,
              .ignore_eos = true};
  const absl::Status warm_up = WarmUpModel(core);
  if (!warm_up.ok()) {
    LOG(WARNING) << "worker refused: name=" << info.name
                 << " model=" << info.model_name << " " << warm_up;
    Close(warm_up);
    core.RemoveWorker(*worker, warm_up);
    return;
  }
  LOG(INFO) << "worker registered: id=" << *worker << " name=" << info.name
            << " model=" << info.model_name << " epoch=" << info.epoch;
  environment_.models.Publish(std::move(model));
  pb::ConnectResponse message;
  FenceToWire({.term = environment_.term, .epoch = info.epoch, .step = 0},
              *message.mutable_fence());
  message.mutable_registered()->set_worker_id(worker->value());
  if (environment_.heartbeat_interval < absl::InfiniteDuration()) {
    message.mutable_registered()->set_heartbeat_interval_ms(
        static_cast<uint32_t>(std::max<int64_t>(
            1, absl::ToInt64Milliseconds(environment_.heartbeat_interval))));
  }
  std::optional<ConnectionId> connection;
  {
    absl::MutexLock lock(&mutex_);
    pending_.push_front(std::move(message));
    accepted_ = true;
    connection = connection_;
  }
  if (connection.has_value()) {
    environment_.directory.SetRegistered(*connection, *worker, info);
  }
  Continue();
}

absl::Status WorkerConnection::WarmUpModel(SchedulerCore& core) {
  const absl::Status status =
      core.Submit(warm_up_, std::make_unique<WarmUp>(shared_from_this()))
          .status();
  // A worker that can't hold one token is of no use.
  if (absl::IsInvalidArgument(status)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the worker cannot hold a sequence of two tokens: ", status.message()));
  }
  if (!status.ok()) {
    // The queue is full, and what waits in it will show whether the worker
    // works; or the scheduler is draining.
    LOG(INFO) << "no warm-up: worker=" << hello_.worker_name() << " " << status;
  }
  return absl::OkStatus();
}

void WorkerConnection::Continue() {
  std::optional<absl::Status> end;
  {
    absl::MutexLock lock(&mutex_);
    if (writing_ || finished_) return;
    if (end_.has_value()) {
      finished_ = true;
      end = end_;
    } else if (accepted_ && !pending_.empty()) {
      outgoing_ = std::move(pending_.front());
      pending_.pop_front();
      writing_ = true;
    } else {
      return;
    }
  }
  // Unlocked: gRPC may call back from within.
  if (end.has_value()) {
    Finish(ToGrpcStatus(*end));
  } else {
    StartWrite(&outgoing_);
  }
}

}  // namespace hybridserve
