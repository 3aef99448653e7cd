#ifndef HYBRIDSERVE_WORKER_RPC_STATUS_SERVER_H_
#define HYBRIDSERVE_WORKER_RPC_STATUS_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/step_result.h"
#include "worker/worker.h"

namespace hybridserve {

// What a worker serves for probes and people: grpc.health.v1 and reflection on
// one port, Prometheus's /metrics on another. Health is SERVING while a
// scheduler has the worker.
//
// Thread-safe.
class StatusServer {
 public:
  struct Options {
    std::string listen;          // HOST:PORT of health; empty: none.
    std::string metrics_listen;  // HOST:PORT of /metrics; empty: none.
    std::string model_name;
  };

  // InvalidArgument or Unavailable, naming the flag.
  static absl::StatusOr<std::unique_ptr<StatusServer>> Create(
      const Options& options);
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;
  ~StatusServer();

  // HOST:PORT with the real ports; empty where there is none.
  const std::string& address() const;
  const std::string& metrics_address() const;

  void SetServing(bool serving);
  void SetProgress(const LoadProgress& progress);
  // All is loaded and measured.
  void SetLoaded(const Worker& worker);
  void CountStep(const StepResult& result);

 private:
  class Impl;
  explicit StatusServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_RPC_STATUS_SERVER_H_
