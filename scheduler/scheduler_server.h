#ifndef HYBRIDSERVE_SCHEDULER_SCHEDULER_SERVER_H_
#define HYBRIDSERVE_SCHEDULER_SCHEDULER_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/scheduler_options.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace hybridserve {

// A scheduler with everything around it: the core on its thread and the
// services of hybridserve.v1, hybridserve.worker.v1, health and reflection.
//
// It serves from Create() on; health is SERVING once a worker has registered
// and produced a token.
//
// Thread-safe.
class SchedulerServer {
 public:
  // InvalidArgument for bad options and files, naming the flag;
  // FailedPrecondition for a public address without TLS or `insecure`;
  // Unavailable if an address can't be bound.
  static absl::StatusOr<std::unique_ptr<SchedulerServer>> Create(
      SchedulerServerOptions options);
  SchedulerServer(const SchedulerServer&) = delete;
  SchedulerServer& operator=(const SchedulerServer&) = delete;
  // Shutdown() without grace.
  ~SchedulerServer();

  // A channel to this server that needs no port. It does not outlive this.
  std::shared_ptr<grpc::Channel> InProcessChannel();

  // HOST:PORT with the real port; empty if there is none.
  const std::string& address() const;
  const std::string& metrics_address() const;

  // Waits for the first worker's first token. False at `deadline`, or when
  // Drain() or Shutdown() came before it.
  bool WaitUntilReady(absl::Time deadline);

  // Health becomes NOT_SERVING, new requests get UNAVAILABLE, those that were
  // accepted go on. Returns at once. Also by ControlService.Drain.
  void Drain();
  bool draining() const;
  // Waits until no request is live. False at `deadline`.
  bool WaitUntilIdle(absl::Time deadline);

  // Drain(), then ends what still runs, with UNAVAILABLE, after `grace`.
  // Returns when all have heard so, or some seconds later. Whoever calls from
  // then on hears UNAVAILABLE at once. Idempotent.
  void EndRequests(absl::Duration grace);
  // EndRequests(), then closes everything. gRPC says CANCELLED to calls that
  // come in just then, which clients don't ask again: a program that ends does
  // so after EndRequests(), as connections that break are UNAVAILABLE.
  // Idempotent.
  void Shutdown(absl::Duration grace);

 private:
  class Impl;
  explicit SchedulerServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_SCHEDULER_SERVER_H_
