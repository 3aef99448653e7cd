#ifndef HYBRIDSERVE_WORKER_RPC_SCHEDULER_CONNECTION_H_
#define HYBRIDSERVE_WORKER_RPC_SCHEDULER_CONNECTION_H_

#include <cstdint>
#include <deque>
#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "common/worker_info.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "hybridserve/worker/v1/worker_link_service.grpc.pb.h"

namespace hybridserve {

// One call of WorkerLinkService.Connect, from the worker's side: what is sent
// goes up in order; plans and the acceptance come down to the callbacks.
//
// Thread-safe. Not to be destroyed before WaitUntilDone() has returned true.
class SchedulerConnection final
    : public grpc::ClientBidiReactor<worker::v1::ConnectRequest,
                                     worker::v1::ConnectResponse> {
 public:
  struct Options {
    uint64_t epoch = 0;
    worker::v1::Hello hello;
    // One call at a time, on gRPC's threads.
    // `heartbeat_interval` is infinite where none are wanted.
    std::function<void(absl::Duration heartbeat_interval)> on_accepted;
    std::function<void(StepPlan)> on_plan;
  };

  // Dials over `stub`, which outlives this, and says hello.
  SchedulerConnection(worker::v1::WorkerLinkService::Stub& stub,
                      Options options);
  SchedulerConnection(const SchedulerConnection&) = delete;
  SchedulerConnection& operator=(const SchedulerConnection&) = delete;

  uint64_t epoch() const { return options_.epoch; }

  void SendProgress(const worker::v1::LoadProgress& progress);
  // Sends the files and asks for work.
  void SendRegistration(const WorkerInfo& info);
  // Drops results of another epoch.
  void SendResult(const StepResult& result);
  // Shows that this worker lives; left out while others wait to be sent.
  void SendHeartbeat();
  // Announces that this worker is to go; the scheduler ends the call.
  void SendLeave();

  // Ends the call from this side.
  void Cancel() { context_.TryCancel(); }
  // Waits for its end; false if it has not come by then.
  bool WaitUntilDone(absl::Time deadline);
  // Why it ended, which it has. Never OK.
  absl::Status end();

  void OnWriteDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  void Send(worker::v1::ConnectRequest message);
  // Writes the next message if none is being written.
  void Continue();
  // An error ends the call.
  absl::Status Take(const worker::v1::ConnectResponse& message);

  const Options options_;
  grpc::ClientContext context_;
  worker::v1::ConnectResponse incoming_;  // Being read.
  worker::v1::ConnectRequest outgoing_;   // Being written.
  uint64_t term_ = 0;  // Set by the acceptance, before results are sent.

  absl::Mutex mutex_;
  std::deque<worker::v1::ConnectRequest> pending_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  // Why this side ended it, or what gRPC says.
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_RPC_SCHEDULER_CONNECTION_H_
