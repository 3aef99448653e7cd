#include "scheduler/rpc/worker_link_service.h"

#include <utility>

namespace hybridserve {

grpc::ServerBidiReactor<worker::v1::ConnectRequest,
                        worker::v1::ConnectResponse>*
WorkerLinkServiceImpl::Connect(grpc::CallbackServerContext* context) {
  std::shared_ptr<WorkerConnection> connection =
      WorkerConnection::Start(environment_);
  absl::Status status = authenticator_.Check(*context, Action::kWork).status();
  {
    absl::MutexLock lock(&mutex_);
    std::erase_if(connections_, [](const std::weak_ptr<WorkerConnection>& c) {
      return c.expired();
    });
    connections_.push_back(connection);
    if (stopped_ && status.ok()) {
      status = absl::UnavailableError("the scheduler is going");
    }
  }
  if (!status.ok()) connection->Close(status);
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
