#ifndef HYBRIDSERVE_SCHEDULER_RPC_WORKER_CONNECTION_H_
#define HYBRIDSERVE_SCHEDULER_RPC_WORKER_CONNECTION_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/ids.h"
#include "common/step_plan.h"
#include "common/wire/model_files_wire.h"
#include "grpcpp/support/server_callback.h"
#include "hybridserve/worker/v1/worker_link_service.pb.h"
#include "scheduler/core/core_thread.h"
#include "scheduler/rpc/served_models.h"
#include "scheduler/rpc/worker_directory.h"

namespace hybridserve {

// What worker connections share; it all outlives them.
struct WorkerEnvironment {
  CoreThread& core;
  ServedModels& models;
  WorkerDirectory& directory;
  uint64_t term = 0;
  // How often workers are to show that they live; infinite: they need not.
  absl::Duration heartbeat_interval = absl::InfiniteDuration();
};

// One call of WorkerLinkService.Connect: takes a worker's registration, gives
// it to the core as a WorkerLink, and carries plans down and results up until
// either end goes. Messages of another term or epoch are dropped; malformed
// ones end the call.
//
// Thread-safe. Keeps itself alive until gRPC calls OnDone().
class WorkerConnection final
    : public grpc::ServerBidiReactor<worker::v1::ConnectRequest,
                                     worker::v1::ConnectResponse>,
      public std::enable_shared_from_this<WorkerConnection> {
 public:
  // A connection that has begun to read.
  static std::shared_ptr<WorkerConnection> Start(
      const WorkerEnvironment& environment);

  // Queues a plan for the worker; nothing once closed.
  void Send(const StepPlan& plan);

  // Ends the call with `status`; the first one counts.
  void Close(absl::Status status);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  class Link;
  class WarmUp;
  enum class Phase { kHello, kLoading, kRegistered };

  explicit WorkerConnection(const WorkerEnvironment& environment)
      : environment_(environment) {}

  // Its name in the directory: from Hello until it is lost or done.
  std::optional<ConnectionId> connection() const;
  void LeaveDirectory();

  // Takes one message. An error ends the call.
  absl::Status Take(const worker::v1::ConnectRequest& message);
  absl::Status TakeHello(const worker::v1::ConnectRequest& message);
  absl::Status TakeProgress(const worker::v1::LoadProgress& progress);
  absl::Status TakeRegister(const worker::v1::Register& registration);
  absl::Status TakeResult(const worker::v1::ConnectRequest& message);
  void TakeHeartbeat();
  void TakeLeave();

  // On the core's thread.
  void AddToCore(SchedulerCore& core, const WorkerInfo& info,
                 std::shared_ptr<const ServedModel> model);
  // Asks for a first token. InvalidArgument if the worker never can.
  absl::Status WarmUpModel(SchedulerCore& core);

  // Writes or finishes, whichever is due.
  void Continue();

  const WorkerEnvironment environment_;
  std::shared_ptr<WorkerConnection> self_;  // Until OnDone().

  // Touched by one reaction at a time.
  Phase phase_ = Phase::kHello;
  worker::v1::ConnectRequest incoming_;
  worker::v1::Hello hello_;
  uint64_t epoch_ = 0;
  ModelFilesAssembler files_;

  // Touched by the core's thread.
  std::optional<WorkerId> worker_;
  bool removed_ = false;  // The core has dropped the link.
  bool proven_ = false;   // It has produced a token.
  GenerationRequest warm_up_;
  bool leaving_ = false;  // Said so before it was added.

  worker::v1::ConnectResponse outgoing_;  // Being written.
  mutable absl::Mutex mutex_;
  std::optional<ConnectionId> connection_ ABSL_GUARDED_BY(mutex_);
  std::deque<worker::v1::ConnectResponse> pending_ ABSL_GUARDED_BY(mutex_);
  bool accepted_ ABSL_GUARDED_BY(mutex_) = false;  // Registered is queued.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_WORKER_CONNECTION_H_
