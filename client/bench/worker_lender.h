#ifndef HYBRIDSERVE_CLIENT_BENCH_WORKER_LENDER_H_
#define HYBRIDSERVE_CLIENT_BENCH_WORKER_LENDER_H_

#include <memory>

#include "absl/status/status.h"
#include "worker/worker.h"

namespace hybridserve {

// One loaded worker for several schedulers, one after the other: what is lent
// can be started and stopped like a worker of one's own, while the weights
// stay. Thread-compatible.
class WorkerLender {
 public:
  // `worker` was not started.
  explicit WorkerLender(std::unique_ptr<Worker> worker);
  // Stops the worker. Nothing is lent any more.
  ~WorkerLender();

  const Worker& worker() const;

  // Worker::Measure(). Crashes while the worker is lent and started.
  absl::Status Measure();

  // Crashes unless what was lent before is stopped or gone. Not to outlive
  // this.
  std::unique_ptr<Worker> Lend();

 private:
  class Shared;
  class Lent;
  std::unique_ptr<Shared> shared_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_WORKER_LENDER_H_
