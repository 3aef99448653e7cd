#ifndef HYBRIDSERVE_SCHEDULER_RPC_WORKER_LINK_SERVICE_H_
#define HYBRIDSERVE_SCHEDULER_RPC_WORKER_LINK_SERVICE_H_

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "hybridserve/worker/v1/worker_link_service.grpc.pb.h"
#include "scheduler/rpc/authenticator.h"
#include "scheduler/rpc/worker_connection.h"

namespace hybridserve {

// hybridserve.worker.v1.WorkerLinkService: a WorkerConnection a call.
// Thread-safe.
class WorkerLinkServiceImpl final
    : public worker::v1::WorkerLinkService::CallbackService {
 public:
  // `authenticator` outlives this.
  WorkerLinkServiceImpl(const Authenticator& authenticator,
                        const WorkerEnvironment& environment)
      : authenticator_(authenticator), environment_(environment) {}

  grpc::ServerBidiReactor<worker::v1::ConnectRequest,
                          worker::v1::ConnectResponse>*
  Connect(grpc::CallbackServerContext* context) override;

  // Ends all connections, and those that come later at once.
  void Stop(const absl::Status& status);

 private:
  const Authenticator& authenticator_;
  const WorkerEnvironment environment_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::weak_ptr<WorkerConnection>> connections_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_WORKER_LINK_SERVICE_H_
