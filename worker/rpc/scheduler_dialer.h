#ifndef HYBRIDSERVE_WORKER_RPC_SCHEDULER_DIALER_H_
#define HYBRIDSERVE_WORKER_RPC_SCHEDULER_DIALER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/step_result.h"
#include "worker/worker.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace hybridserve {

// Keeps a worker connected to its scheduler: dials, registers, brings plans to
// the worker and takes results back, and does it again for ever when the
// connection goes. Every connection is a new epoch.
//
// Dials before the weights are loaded, so that the scheduler can say how far
// the worker is. Gives up only when the scheduler finds the model itself bad
// (INVALID_ARGUMENT), as it would again.
//
// Thread-safe, but for Serve() and Stop(), called once each.
class SchedulerDialer {
 public:
  struct Options {
    std::string worker_name;  // For people: host and process.
    std::string model_name;
    std::string build_id;
    // Waits between dials: doubles from the first to the last.
    absl::Duration first_backoff = absl::Milliseconds(100);
    absl::Duration last_backoff = absl::Seconds(5);
    // Hears each step's result as well; may be null. On the worker's thread.
    std::function<void(const StepResult&)> on_result;
    // Hears when a scheduler accepts the worker and when it is lost; may be
    // null. One call at a time; must not call back.
    std::function<void(bool)> on_accepted;
  };

  // Starts dialling over `channel`.
  SchedulerDialer(const std::shared_ptr<grpc::Channel>& channel,
                  Options options);
  SchedulerDialer(const SchedulerDialer&) = delete;
  SchedulerDialer& operator=(const SchedulerDialer&) = delete;
  // Stop().
  ~SchedulerDialer();

  // Tells the scheduler how far the loading is.
  void ReportProgress(const LoadProgress& progress);

  // Registers `worker`, which was not started, and starts it. It outlives this
  // or the call to Stop().
  void Serve(Worker& worker);

  // Waits until a scheduler has accepted the worker. DeadlineExceeded at
  // `deadline`, Cancelled after Stop(), or the scheduler's INVALID_ARGUMENT,
  // after which there is no use in waiting again.
  absl::Status WaitUntilAccepted(absl::Time deadline);

  // Connected and accepted now.
  bool accepted() const;

  // Lets the scheduler finish what this worker runs and waits for that, or
  // until `deadline`: false. Nothing is dialled again. Once, before Stop().
  bool Leave(absl::Time deadline);

  // Ends the connection, then Worker::Stop(). Idempotent.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// An incarnation number larger than any given out before, by this process or
// by one that ended before it started: the time of day in microseconds.
uint64_t NextEpoch();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_RPC_SCHEDULER_DIALER_H_
