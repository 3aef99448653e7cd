#ifndef HYBRIDSERVE_WORKER_WORKER_H_
#define HYBRIDSERVE_WORKER_WORKER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "common/worker_info.h"
#include "worker/memory_plan.h"
#include "worker/worker_options.h"

namespace hybridserve {

// How far Worker::Create has come.
struct LoadProgress {
  std::string phase;        // "planning", "loading", "measuring".
  int64_t done_bytes = 0;   // Of the checkpoint; of "loading" only.
  int64_t total_bytes = 0;  // 0 while unknown.
};

// One device with a model's weights and cache on it: obeys step plans
// (DESIGN.md 4). It knows no connection; worker/rpc brings plans and takes
// results. Create() may take minutes; afterwards nothing allocates by the size
// of a plan.
//
// Thread-safe, but for Start() and Stop(), called once each by one thread.
class Worker {
 public:
  using ProgressCallback = std::function<void(const LoadProgress&)>;
  using ResultCallback = std::function<void(StepResult)>;

  // Plans the memory, logs the plan, allocates, loads and measures. `progress`
  // may be null; it is called from any thread, one call at a time. Errors say
  // which file and field, or what amount of memory would do: InvalidArgument,
  // NotFound, FailedPrecondition, ResourceExhausted.
  static absl::StatusOr<std::unique_ptr<Worker>> Create(
      const WorkerOptions& options, ProgressCallback progress = nullptr);
  virtual ~Worker() = default;  // Stops.

  // What to register with. `epoch` is the first one's: that of a later Reset()
  // is its caller's to send.
  virtual const WorkerInfo& info() const = 0;
  virtual const MemoryPlan& memory_plan() const = 0;
  // Of weights and cache in host memory: what the driver did not pin, so that
  // copies are slow. 0 is as it should be.
  virtual int64_t unpinned_bytes() const = 0;

  // Times every kind of work anew, alone, for a few seconds at the most:
  // info().profile is then of now. Only while no plan is queued or under way,
  // and not at the same time as other calls. Forgets all sequences. The
  // device's errors, after which only Stop() may be called.
  virtual absl::Status Measure() = 0;

  // Begins to take plans. `on_result` is called from the worker's own thread,
  // one call at a time, once for each plan that passed the fence, in order.
  // While it blocks at most two more steps run.
  virtual void Start(ResultCallback on_result) = 0;

  // Queues a plan and returns at once. Plans whose fence is not the next
  // expected (epoch of the last Reset; term of the epoch's first plan; steps
  // from 1 on without gap) are dropped. Nothing in a plan can crash the
  // worker: a malformed one gives a result with a status and changes nothing.
  virtual void Submit(StepPlan plan) = 0;

  // Forgets all sequences and every plan that has not begun, and expects step
  // 1 of `epoch` next: what a new connection needs. Results of steps that had
  // begun still arrive, with their old fence. Returns at once.
  virtual void Reset(uint64_t epoch) = 0;

  // Finishes the steps that have begun, drops the rest; no result arrives
  // after it returns.
  virtual void Stop() = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_WORKER_H_
