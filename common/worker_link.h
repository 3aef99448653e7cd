#ifndef HYBRIDSERVE_COMMON_WORKER_LINK_H_
#define HYBRIDSERVE_COMMON_WORKER_LINK_H_

#include "common/step_plan.h"

namespace hybridserve {

// The scheduler's end of one worker: plans go in. Results come to the core from
// whoever made the link, who also tells it when the worker is lost. gRPC,
// in-process and fake links implement it; none of them knows what a plan means.
//
// Destroying a link ends the connection; nothing is delivered afterwards.
class WorkerLink {
 public:
  virtual ~WorkerLink() = default;

  // Queues `plan` for the worker, in order. Never blocks; on a dead link it
  // does nothing.
  virtual void Send(StepPlan plan) = 0;

  // The worker has produced a token of a request: it works. Once, and not from
  // within Send().
  virtual void OnProven() {}
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WORKER_LINK_H_
