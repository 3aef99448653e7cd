#ifndef HYBRIDSERVE_SCHEDULER_RPC_CONTROL_SERVICE_H_
#define HYBRIDSERVE_SCHEDULER_RPC_CONTROL_SERVICE_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "hybridserve/v1/control_service.grpc.pb.h"
#include "scheduler/core/core_thread.h"
#include "scheduler/rpc/authenticator.h"
#include "scheduler/rpc/request_metrics.h"
#include "scheduler/rpc/watch_load_call.h"
#include "scheduler/rpc/worker_directory.h"

namespace hybridserve {

// What the control service looks at and does; it all outlives the service.
struct ControlEnvironment {
  CoreThread& core;
  const WorkerDirectory& directory;
  const RequestMetrics& metrics;
  std::optional<double> act_ratio;  // As --act_ratio; not set: auto.
  std::function<void()> drain;      // Returns at once.
};

// hybridserve.v1.ControlService. Thread-safe.
class ControlServiceImpl final : public v1::ControlService::CallbackService {
 public:
  // `authenticator` outlives this.
  ControlServiceImpl(const Authenticator& authenticator,
                     ControlEnvironment environment)
      : authenticator_(authenticator), environment_(std::move(environment)) {}

  grpc::ServerUnaryReactor* GetServerInfo(
      grpc::CallbackServerContext* context,
      const v1::GetServerInfoRequest* request,
      v1::GetServerInfoResponse* response) override;
  grpc::ServerUnaryReactor* GetLoad(grpc::CallbackServerContext* context,
                                    const v1::GetLoadRequest* request,
                                    v1::GetLoadResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchLoadResponse>* WatchLoad(
      grpc::CallbackServerContext* context,
      const v1::WatchLoadRequest* request) override;
  grpc::ServerUnaryReactor* Abort(grpc::CallbackServerContext* context,
                                  const v1::AbortRequest* request,
                                  v1::AbortResponse* response) override;
  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context,
                                  const v1::DrainRequest* request,
                                  v1::DrainResponse* response) override;

  // Ends all watches.
  void Stop(const absl::Status& status);

 private:
  std::optional<v1::Load> Load() const;

  const Authenticator& authenticator_;
  const ControlEnvironment environment_;
  absl::Mutex mutex_;
  std::vector<std::weak_ptr<WatchLoadCall>> watches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_CONTROL_SERVICE_H_
