#include "scheduler/rpc/worker_link_service.h"

#include <utility>

#include "common/grpc_status.h"
#include "grpcpp/support/status.h"

namespace hybridserve {
namespace {

// A call that only ends. Reads nothing of what a stranger sends.
class Refusal final
    : public grpc::ServerBidiReactor<worker::v1::ConnectRequest,
                                     worker::v1::ConnectResponse> {
 public:
  explicit Refusal(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerBidiReactor<worker::v1::ConnectRequest,
                        worker::v1::ConnectResponse>*
WorkerLinkServiceImpl::Connect(grpc::CallbackServerContext* context) {
  const absl::Status allowed =
      authenticator_.Check(*context, Action::kWork).status();
  if (!allowed.ok()) return new Refusal(allowed);
  std::shared_ptr<WorkerConnection> connection =
      WorkerConnection::Start(environment_);
  bool stopped = false;
  {
    absl::MutexLock lock(&mutex_);
    std::erase_if(connections_, [](const std::weak_ptr<WorkerConnection>& c) {
      return c.expired();
    });
    connections_.push_back(connection);
    stopped = stopped_;
  }
  if (stopped) {
    connection->Close(absl::UnavailableError("the scheduler is going"));
  }
  // gRPC calls OnDone() after this returns, so the pointer is good.
  return connection.get();
}

void WorkerLinkServiceImpl::Stop(const absl::Status& status) {
  std::vector<std::weak_ptr<WorkerConnection>> connections;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    connections.swap(connections_);
  }
  for (const std::weak_ptr<WorkerConnection>& weak : connections) {
    if (const auto connection = weak.lock()) connection->Close(status);
  }
}

}  // namespace hybridserve
