#ifndef HYBRIDSERVE_WORKER_OFFLOAD_ENGINE_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_ENGINE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/step_plan.h"
#include "worker/offload/engine_resources.h"
#include "worker/offload/plan_inbox.h"
#include "worker/offload/step_collector.h"
#include "worker/offload/step_preparer.h"
#include "worker/offload/step_runner.h"

namespace hybridserve {

// Takes plans, issues their steps and gives results, on threads of its own: one
// that issues, one that collects.
//
// The issuing thread waits for nothing but plans and, where a step's input is
// the token sampled in the step before, that token; the copies that the step
// needs first are queued before it waits.
//
// Thread-safe, but for Start() and Stop(), called once each by one thread.
class Engine {
 public:
  // `resources` and `clock` are borrowed and outlive the engine. Plans are
  // expected for `epoch` until a Reset().
  static absl::StatusOr<std::unique_ptr<Engine>> Create(
      EngineResources& resources, uint64_t epoch, const Clock& clock);
  ~Engine() { Stop(); }

  // The contracts are Worker's (worker/worker.h).
  void Start(StepCollector::ResultCallback on_result);
  void Submit(StepPlan plan) { inbox_.Push(std::move(plan)); }
  void Reset(uint64_t epoch) { inbox_.Reset(epoch); }
  void Stop();

 private:
  Engine(EngineResources& resources, uint64_t epoch, const Clock& clock);

  void Loop();
  // The plan as a step to issue, or one that carries its refusal.
  std::unique_ptr<IssuedStep> Prepare(const StepPlan& plan);
  // If a plan waits, prepares it as `next_` and queues its first copies.
  absl::Status PrepareNext();
  absl::Status RunStep(IssuedStep& step);
  void Push(std::unique_ptr<IssuedStep> step);
  // Waits for the first `num_steps` steps and notes what they sampled.
  absl::Status AbsorbTokens(int64_t num_steps);

  const Clock& clock_;
  PlanInbox inbox_;
  std::unique_ptr<StepRunner> runner_;
  std::unique_ptr<StepCollector> collector_;

  // Of the issuing thread.
  StepPreparer preparer_;
  std::unique_ptr<IssuedStep> next_;  // Prepared, perhaps staged.
  int64_t pushed_ = 0;                // Steps given to the collector.
  int64_t issued_ = 0;                // Of them, those that ran on the device.
  // `pushed_` just after the last step of each parity was pushed.
  std::array<int64_t, 2> pushed_after_ = {0, 0};
  absl::Status broken_;  // Not OK: the device failed for good.
  std::thread thread_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_ENGINE_H_
