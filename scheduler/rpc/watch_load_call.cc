#include "scheduler/rpc/watch_load_call.h"

#include "common/grpc_status.h"
#include "grpcpp/support/status.h"

namespace hybridserve {

std::shared_ptr<WatchLoadCall> WatchLoadCall::Start(LoadSource source,
                                                    absl::Duration interval) {
  std::shared_ptr<WatchLoadCall> call(
      new WatchLoadCall(std::move(source), interval));
  call->self_ = call;
  call->Continue();
  return call;
}

void WatchLoadCall::Stop(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  if (end_.has_value()) return;
  end_ = std::move(status);
  // Its callback, on another thread, or the write under way continues.
  alarm_.Cancel();
}

void WatchLoadCall::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ok && !end_.has_value()) end_ = absl::CancelledError();
    if (!end_.has_value()) {
      // Nothing finishes the call, and so deletes this, but Continue().
      alarm_.Set(absl::ToChronoTime(absl::Now() + interval_),
                 [this](bool) { Continue(); });
      return;
    }
  }
  Continue();
}

void WatchLoadCall::Continue() {
  std::optional<absl::Status> end;
  {
    absl::MutexLock lock(&mutex_);
    end = end_;
  }
  if (!end.has_value()) {
    std::optional<v1::Load> load = source_();
    if (load.has_value()) {
      *response_.mutable_load() = *std::move(load);
      return StartWrite(&response_);
    }
    end = absl::UnavailableError("the server has stopped");
  }
  Finish(ToGrpcStatus(*end));
}

}  // namespace hybridserve
