#ifndef HYBRIDSERVE_COMMON_WORKER_LINK_H_
#define HYBRIDSERVE_COMMON_WORKER_LINK_H_

#include "absl/status/status.h"
#include "common/step_plan.h"
#include "common/step_result.h"

namespace hybridserve {

// The scheduler's end of one worker: plans go in, results come back to the
// receiver that the link was made with. gRPC, in-process and fake links
// implement it; none of them knows what a plan means.
//
// Destroying a link ends the connection; nothing is delivered afterwards.
class WorkerLink {
 public:
  // Receives what the worker sends. Implementations may call it from any
  // thread, one call at a time, never from within Send().
  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual void OnResult(StepResult result) = 0;
    // The link is dead and delivers no more; called at most once.
    virtual void OnLost(absl::Status reason) = 0;
  };

  virtual ~WorkerLink() = default;

  // Queues `plan` for the worker, in order. Never blocks; on a dead link it
  // does nothing (OnLost tells).
  virtual void Send(StepPlan plan) = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WORKER_LINK_H_
