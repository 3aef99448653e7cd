#include "worker/rpc/scheduler_dialer.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/wire/worker_info_wire.h"
#include "glog/logging.h"
#include "grpcpp/channel.h"
#include "worker/rpc/scheduler_connection.h"

namespace hybridserve {
namespace {

constexpr absl::Duration kAcceptancePoll = absl::Seconds(1);

}  // namespace

uint64_t NextEpoch() {
  static absl::Mutex mutex(absl::kConstInit);
  static uint64_t last = 0;
  absl::MutexLock lock(&mutex);
  last = std::max(last + 1,
                  static_cast<uint64_t>(absl::ToUnixMicros(absl::Now())));
  return last;
}

class SchedulerDialer::Impl {
 public:
  Impl(const std::shared_ptr<grpc::Channel>& channel, Options options)
      : options_(std::move(options)),
        stub_(worker::v1::WorkerLinkService::NewStub(channel)),
        thread_([this] { Run(); }) {}

  void ReportProgress(const LoadProgress& progress);
  void Serve(Worker& worker);
  absl::Status WaitUntilAccepted(absl::Time deadline);
  bool accepted() const;
  bool Leave(absl::Time deadline);
  void Stop();

 private:
  // The dialling thread: one connection after the other.
  void Run();
  // One connection, from the dial to its end.
  absl::Status Connect();
  // When to send a heartbeat, or to look whether one is wanted.
  absl::Time NextHeartbeat();
  // False if there is to be no next one.
  bool Wait(absl::Duration backoff);
  SchedulerConnection::Options ConnectionOptions(uint64_t epoch);
  // Begins the worker's part in the current connection.
  void Register() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnResult(const StepResult& result);
  void SetAccepted(bool accepted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const std::unique_ptr<worker::v1::WorkerLinkService::Stub> stub_;

  mutable absl::Mutex mutex_;
  Worker* worker_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::optional<worker::v1::LoadProgress> progress_ ABSL_GUARDED_BY(mutex_);
  // The one that is dialled or up. Shared with callers that send.
  std::shared_ptr<SchedulerConnection> connection_ ABSL_GUARDED_BY(mutex_);
  bool accepted_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration heartbeat_interval_ ABSL_GUARDED_BY(mutex_) =
      absl::InfiniteDuration();
  bool leaving_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // Last: it uses the rest.
};

void SchedulerDialer::Impl::ReportProgress(const LoadProgress& progress) {
  worker::v1::LoadProgress message;
  message.set_stage(progress.phase);
  message.set_loaded_bytes(progress.done_bytes);
  message.set_total_bytes(std::max(progress.done_bytes, progress.total_bytes));
  absl::MutexLock lock(&mutex_);
  progress_ = message;
  if (connection_ != nullptr && worker_ == nullptr) {
    connection_->SendProgress(message);
  }
}

void SchedulerDialer::Impl::Serve(Worker& worker) {
  worker.Start([this](const StepResult& result) { OnResult(result); });
  absl::MutexLock lock(&mutex_);
  CHECK(worker_ == nullptr) << "Serve() was called twice";
  worker_ = &worker;
  if (connection_ != nullptr) Register();
}

absl::Status SchedulerDialer::Impl::WaitUntilAccepted(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  const auto decided = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return accepted_ || stopping_ || !refusal_.ok();
  };
  if (!mutex_.AwaitWithDeadline(absl::Condition(&decided), deadline)) {
    return absl::DeadlineExceededError("no scheduler accepted the worker yet");
  }
  if (!refusal_.ok()) return refusal_;
  if (stopping_) return absl::CancelledError("the worker is stopping");
  return absl::OkStatus();
}

bool SchedulerDialer::Impl::accepted() const {
  absl::MutexLock lock(&mutex_);
  return accepted_;
}

bool SchedulerDialer::Impl::Leave(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  leaving_ = true;
  if (connection_ != nullptr) {
    // Who has not been accepted has nothing to finish.
    accepted_ ? connection_->SendLeave() : connection_->Cancel();
  }
  const auto gone = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return connection_ == nullptr;
  };
  return mutex_.AwaitWithDeadline(absl::Condition(&gone), deadline);
}

void SchedulerDialer::Impl::Stop() {
  Worker* worker = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    worker = worker_;
    if (connection_ != nullptr) connection_->Cancel();
  }
  if (thread_.joinable()) {
    thread_.join();
    if (worker != nullptr) worker->Stop();
  }
}

void SchedulerDialer::Impl::Run() {
  absl::Duration backoff = options_.first_backoff;
  while (true) {
    const absl::Time begin = absl::Now();
    const absl::Status end = Connect();
    // One that lasted was a good one.
    if (absl::Now() - begin > options_.last_backoff) {
      backoff = options_.first_backoff;
    }
    if (!Wait(backoff)) return;
    LOG(WARNING) << "dialling the scheduler again: " << end;
    backoff = std::min(2 * backoff, options_.last_backoff);
  }
}

absl::Status SchedulerDialer::Impl::Connect() {
  std::shared_ptr<SchedulerConnection> connection;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_ || leaving_) return absl::CancelledError();
    connection = std::make_shared<SchedulerConnection>(
        *stub_, ConnectionOptions(NextEpoch()));
    connection_ = connection;
    if (worker_ != nullptr) {
      Register();
    } else if (progress_.has_value()) {
      connection_->SendProgress(*progress_);
    }
  }
  while (!connection->WaitUntilDone(NextHeartbeat())) {
    absl::MutexLock lock(&mutex_);
    if (accepted_) connection->SendHeartbeat();
  }
  absl::Status end = connection->end();
  absl::MutexLock lock(&mutex_);
  connection_ = nullptr;
  SetAccepted(false);
  if (absl::IsInvalidArgument(end)) refusal_ = end;
  return end;
}

absl::Time SchedulerDialer::Impl::NextHeartbeat() {
  absl::MutexLock lock(&mutex_);
  // Looks again soon while it isn't known how often.
  return absl::Now() + std::min(heartbeat_interval_, kAcceptancePoll);
}

bool SchedulerDialer::Impl::Wait(absl::Duration backoff) {
  absl::MutexLock lock(&mutex_);
  const auto over = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopping_ || leaving_ || !refusal_.ok();
  };
  return !mutex_.AwaitWithTimeout(absl::Condition(&over), backoff);
}

SchedulerConnection::Options SchedulerDialer::Impl::ConnectionOptions(
    uint64_t epoch) {
  SchedulerConnection::Options options;
  options.epoch = epoch;
  options.hello.set_wire_revision(kWireRevision);
  options.hello.set_worker_name(options_.worker_name);
  options.hello.set_model_name(options_.model_name);
  options.hello.set_build_id(options_.build_id);
  options.on_accepted = [this](absl::Duration heartbeat_interval) {
    LOG(INFO) << "accepted by the scheduler";
    absl::MutexLock lock(&mutex_);
    heartbeat_interval_ = heartbeat_interval;
    SetAccepted(true);
  };
  options.on_plan = [this](StepPlan plan) {
    Worker* worker = nullptr;
    {
      absl::MutexLock lock(&mutex_);
      worker = worker_;
    }
    // Plans follow a registration, so there is one.
    if (worker != nullptr) worker->Submit(std::move(plan));
  };
  return options;
}

void SchedulerDialer::Impl::Register() {
  WorkerInfo info = worker_->info();
  info.epoch = connection_->epoch();
  worker_->Reset(info.epoch);
  connection_->SendRegistration(info);
}

void SchedulerDialer::Impl::OnResult(const StepResult& result) {
  if (options_.on_result != nullptr) options_.on_result(result);
  std::shared_ptr<SchedulerConnection> connection;
  {
    absl::MutexLock lock(&mutex_);
    connection = connection_;
  }
  if (connection != nullptr) connection->SendResult(result);
}

void SchedulerDialer::Impl::SetAccepted(bool accepted) {
  if (accepted_ == accepted) return;
  accepted_ = accepted;
  if (options_.on_accepted != nullptr) options_.on_accepted(accepted);
}

SchedulerDialer::SchedulerDialer(const std::shared_ptr<grpc::Channel>& channel,
                                 Options options)
    : impl_(std::make_unique<Impl>(channel, std::move(options))) {}

SchedulerDialer::~SchedulerDialer() { Stop(); }

void SchedulerDialer::ReportProgress(const LoadProgress& progress) {
  impl_->ReportProgress(progress);
}

void SchedulerDialer::Serve(Worker& worker) { impl_->Serve(worker); }

absl::Status SchedulerDialer::WaitUntilAccepted(absl::Time deadline) {
  return impl_->WaitUntilAccepted(deadline);
}

bool SchedulerDialer::accepted() const { return impl_->accepted(); }

bool SchedulerDialer::Leave(absl::Time deadline) {
  return impl_->Leave(deadline);
}

void SchedulerDialer::Stop() { impl_->Stop(); }

}  // namespace hybridserve
