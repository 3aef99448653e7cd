#ifndef HYBRIDSERVE_SCHEDULER_RPC_WATCH_LOAD_CALL_H_
#define HYBRIDSERVE_SCHEDULER_RPC_WATCH_LOAD_CALL_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/alarm.h"
#include "grpcpp/support/server_callback.h"
#include "hybridserve/v1/control_service.pb.h"

namespace hybridserve {

// One WatchLoad call: writes, waits, writes again.
//
// Thread-safe. Keeps itself alive until gRPC calls OnDone().
class WatchLoadCall final
    : public grpc::ServerWriteReactor<v1::WatchLoadResponse> {
 public:
  // Nothing: the server has stopped.
  using LoadSource = std::function<std::optional<v1::Load>()>;

  // A call that has begun to write.
  static std::shared_ptr<WatchLoadCall> Start(LoadSource source,
                                              absl::Duration interval);

  // Ends the call with `status`; the first one counts.
  void Stop(absl::Status status);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { Stop(absl::CancelledError()); }
  void OnDone() override { const auto last = std::move(self_); }

 private:
  WatchLoadCall(LoadSource source, absl::Duration interval)
      : source_(std::move(source)), interval_(interval) {}

  // Writes or finishes. Neither a write nor the alarm is under way.
  void Continue();

  const LoadSource source_;
  const absl::Duration interval_;
  std::shared_ptr<WatchLoadCall> self_;  // Until OnDone().
  v1::WatchLoadResponse response_;       // Being written.

  absl::Mutex mutex_;
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_WATCH_LOAD_CALL_H_
