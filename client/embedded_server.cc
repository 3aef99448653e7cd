#include "client/embedded_server.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

// The two are one process: neither goes without the other, and both may be
// stopped for as long as one likes.
SchedulerServerOptions WithoutLease(SchedulerServerOptions options) {
  options.core.worker_lease = absl::InfiniteDuration();
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedServer>> EmbeddedServer::Start(
    SchedulerServerOptions scheduler, const WorkerOptions& worker,
    Worker::ProgressCallback progress) {
  auto server = std::unique_ptr<EmbeddedServer>(new EmbeddedServer());
  ASSIGN_OR_RETURN(server->scheduler_,
                   SchedulerServer::Create(WithoutLease(std::move(scheduler))));
  ASSIGN_OR_RETURN(server->worker_,
                   Worker::Create(worker, std::move(progress)));
  RETURN_IF_ERROR(server->Join());
  return server;
}

absl::StatusOr<std::unique_ptr<EmbeddedServer>> EmbeddedServer::Start(
    SchedulerServerOptions scheduler, std::unique_ptr<Worker> worker) {
  auto server = std::unique_ptr<EmbeddedServer>(new EmbeddedServer());
  ASSIGN_OR_RETURN(server->scheduler_,
                   SchedulerServer::Create(WithoutLease(std::move(scheduler))));
  server->worker_ = std::move(worker);
  RETURN_IF_ERROR(server->Join());
  return server;
}

absl::Status EmbeddedServer::Join() {
  SchedulerDialer::Options dialing;
  dialing.worker_name = "embedded";
  dialing.model_name = worker_->info().model_name;
  dialer_ = std::make_unique<SchedulerDialer>(scheduler_->InProcessChannel(),
                                              std::move(dialing));
  dialer_->Serve(*worker_);
  // The scheduler looks into what the worker does not: the tokenizer's files.
  RETURN_IF_ERROR(dialer_->WaitUntilAccepted(absl::InfiniteFuture()));
  if (!scheduler_->WaitUntilReady(absl::InfiniteFuture())) {
    return absl::InternalError("the embedded scheduler stopped");
  }
  return absl::OkStatus();
}

EmbeddedServer::~EmbeddedServer() {
  // Before the scheduler, which it would dial again: a call on an in-process
  // channel whose server is gone crashes in gRPC.
  if (dialer_ != nullptr) dialer_->Stop();
  if (scheduler_ != nullptr) scheduler_->Shutdown(absl::ZeroDuration());
}

}  // namespace hybridserve
