#include "worker/rpc/scheduler_connection.h"

#include <utility>

#include "absl/status/statusor.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "common/wire/model_files_wire.h"
#include "common/wire/step_plan_wire.h"
#include "common/wire/step_result_wire.h"
#include "common/wire/worker_info_wire.h"
#include "glog/logging.h"
#include "grpcpp/support/status.h"

namespace hybridserve {

namespace pb = worker::v1;

SchedulerConnection::SchedulerConnection(pb::WorkerLinkService::Stub& stub,
                                         Options options)
    : options_(std::move(options)) {
  context_.set_wait_for_ready(true);
  stub.async()->Connect(&context_, this);
  // Others than reactions start writes, so the call waits for RemoveHold().
  AddHold();
  StartRead(&incoming_);
  pb::ConnectRequest hello;
  *hello.mutable_hello() = options_.hello;
  Send(std::move(hello));
  StartCall();
}

void SchedulerConnection::SendProgress(const pb::LoadProgress& progress) {
  pb::ConnectRequest message;
  *message.mutable_load_progress() = progress;
  Send(std::move(message));
}

void SchedulerConnection::SendRegistration(const WorkerInfo& info) {
  for (pb::FileChunk& chunk : ModelFilesToWire(info.files)) {
    pb::ConnectRequest message;
    *message.mutable_file_chunk() = std::move(chunk);
    Send(std::move(message));
  }
  pb::ConnectRequest message;
  WorkerInfoToWire(info, *message.mutable_register_());
  Send(std::move(message));
}

void SchedulerConnection::SendResult(const StepResult& result) {
  if (result.fence.epoch != options_.epoch) return;
  pb::ConnectRequest message;
  StepResultToWire(result, *message.mutable_step_result());
  FenceToWire(result.fence, *message.mutable_fence());
  Send(std::move(message));
}

void SchedulerConnection::SendHeartbeat() {
  {
    absl::MutexLock lock(&mutex_);
    if (!pending_.empty()) return;
  }
  pb::ConnectRequest message;
  message.mutable_heartbeat();
  Send(std::move(message));
}

void SchedulerConnection::SendLeave() {
  pb::ConnectRequest message;
  message.mutable_leave();
  Send(std::move(message));
}

bool SchedulerConnection::WaitUntilDone(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(&done_), deadline);
}

absl::Status SchedulerConnection::end() {
  absl::MutexLock lock(&mutex_);
  CHECK(done_);
  return end_;
}

void SchedulerConnection::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    broken_ = broken_ || !ok;
  }
  Continue();
}

void SchedulerConnection::OnReadDone(bool ok) {
  absl::Status status;
  if (ok) status = Take(incoming_);
  if (ok && status.ok()) {
    incoming_.Clear();
    StartRead(&incoming_);
    return;
  }
  {
    absl::MutexLock lock(&mutex_);
    if (end_.ok()) end_ = status;
    broken_ = true;
  }
  if (!status.ok()) context_.TryCancel();
  RemoveHold();
}

void SchedulerConnection::OnDone(const grpc::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (end_.ok()) end_ = FromGrpcStatus(status);
  if (end_.ok()) end_ = absl::UnavailableError("the scheduler hung up");
  done_ = true;
}

void SchedulerConnection::Send(pb::ConnectRequest message) {
  message.mutable_fence()->set_epoch(options_.epoch);
  {
    absl::MutexLock lock(&mutex_);
    pending_.push_back(std::move(message));
  }
  Continue();
}

void SchedulerConnection::Continue() {
  absl::MutexLock lock(&mutex_);
  if (broken_) pending_.clear();
  if (writing_ || pending_.empty()) return;
  outgoing_ = std::move(pending_.front());
  pending_.pop_front();
  writing_ = true;
  // Locked: once the hold is gone, which `broken_` precedes, no write may
  // start. Reactions come from gRPC's own threads, never from within.
  StartWrite(&outgoing_);
}

absl::Status SchedulerConnection::Take(const pb::ConnectResponse& message) {
  const Fence fence = FenceFromWire(message.fence());
  if (fence.epoch != options_.epoch) return absl::OkStatus();  // Stale.
  switch (message.message_case()) {
    case pb::ConnectResponse::kRegistered:
      term_ = fence.term;
      options_.on_accepted(
          message.registered().heartbeat_interval_ms() == 0
              ? absl::InfiniteDuration()
              : absl::Milliseconds(
                    message.registered().heartbeat_interval_ms()));
      return absl::OkStatus();
    case pb::ConnectResponse::kStepPlan: {
      if (fence.term != term_) return absl::OkStatus();  // Stale.
      ASSIGN_OR_RETURN(StepPlan plan,
                       StepPlanFromWire(fence, message.step_plan()));
      options_.on_plan(std::move(plan));
      return absl::OkStatus();
    }
    case pb::ConnectResponse::MESSAGE_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the scheduler sent an unknown message");
}

}  // namespace hybridserve
