#ifndef HYBRIDSERVE_CLIENT_EMBEDDED_SERVER_H_
#define HYBRIDSERVE_CLIENT_EMBEDDED_SERVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "scheduler/scheduler_server.h"
#include "worker/rpc/scheduler_dialer.h"
#include "worker/worker.h"

namespace hybridserve {

// A scheduler and a worker in this process, joined by in-process channels: the
// same code as the programs, no ports. Thread-safe.
class EmbeddedServer {
 public:
  // Returns once the worker has produced a token. The errors of
  // Worker::Create, which `progress` is for, and SchedulerServer::Create.
  static absl::StatusOr<std::unique_ptr<EmbeddedServer>> Start(
      SchedulerServerOptions scheduler, const WorkerOptions& worker,
      Worker::ProgressCallback progress = nullptr);
  // The same with a worker that is loaded and was not started.
  static absl::StatusOr<std::unique_ptr<EmbeddedServer>> Start(
      SchedulerServerOptions scheduler, std::unique_ptr<Worker> worker);
  // Ends what runs.
  ~EmbeddedServer();

  std::shared_ptr<grpc::Channel> channel() {
    return scheduler_->InProcessChannel();
  }

 private:
  EmbeddedServer() = default;

  // Serves `worker_` to `scheduler_`, until a token came out of it.
  absl::Status Join();

  // In this order: the worker and its connection end before the scheduler.
  std::unique_ptr<SchedulerServer> scheduler_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<SchedulerDialer> dialer_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_EMBEDDED_SERVER_H_
