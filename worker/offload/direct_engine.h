#ifndef HYBRIDSERVE_WORKER_OFFLOAD_DIRECT_ENGINE_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_DIRECT_ENGINE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "worker/offload/engine_resources.h"
#include "worker/offload/step_collector.h"
#include "worker/offload/step_preparer.h"
#include "worker/offload/step_runner.h"

namespace hybridserve {

// The engine without threads: runs plans on the caller's, one at a time, and
// queues the first copies of the plan behind. On a simulated device that is the
// same as Engine, and deterministic. Thread-compatible.
class DirectEngine {
 public:
  // Both are borrowed and outlive the engine. Plans of one epoch only.
  static absl::StatusOr<std::unique_ptr<DirectEngine>> Create(
      EngineResources& resources, const Clock& clock);

  void Submit(StepPlan plan) { plans_.push_back(std::move(plan)); }
  // Plans that were submitted and not run.
  int64_t outstanding() const {
    return static_cast<int64_t>(plans_.size()) + (next_ != nullptr ? 1 : 0);
  }

  // Runs the oldest outstanding plan, of which there is one, and waits for it.
  StepResult RunNext();

 private:
  explicit DirectEngine(EngineResources& resources, const Clock& clock)
      : clock_(clock), preparer_(resources.limits()) {}

  absl::Status Issue(IssuedStep& step);
  // If a plan waits, prepares it as `next_` and queues its first copies.
  absl::Status PrepareNext();

  const Clock& clock_;
  StepPreparer preparer_;
  std::unique_ptr<StepRunner> runner_;
  std::unique_ptr<StepCollector> collector_;
  std::deque<StepPlan> plans_;
  std::unique_ptr<IssuedStep> next_;
  int64_t issued_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_DIRECT_ENGINE_H_
