#ifndef HYBRIDSERVE_WORKER_OFFLOAD_PLAN_INBOX_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_PLAN_INBOX_H_

#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/step_plan.h"

namespace hybridserve {

// Where plans wait for the engine; drops what the fence keeps out. Thread-safe.
class PlanInbox {
 public:
  struct Command {
    enum class Kind { kNone, kPlan, kReset, kStop };
    Kind kind = Kind::kNone;
    StepPlan plan;  // Of kPlan.
  };

  explicit PlanInbox(uint64_t epoch) : epoch_(epoch) {}

  // Takes the plan if its fence is the next expected: the current epoch, the
  // term of the epoch's first plan, the step after the last. False if not.
  bool Push(StepPlan plan);
  // Drops the waiting plans; the next command is kReset, and the next plan
  // expected is step 1 of `epoch`.
  void Reset(uint64_t epoch);
  // Every later command is kStop.
  void Stop();

  // The next command, waiting for one.
  Command Take();
  // As above, but kNone at once if there is none.
  Command TryTake();

 private:
  Command TakeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Ready() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopped_ || reset_ || !plans_.empty();
  }

  absl::Mutex mutex_;
  std::deque<StepPlan> plans_ ABSL_GUARDED_BY(mutex_);
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_);
  uint64_t term_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_step_ ABSL_GUARDED_BY(mutex_) = 1;
  bool reset_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_PLAN_INBOX_H_
