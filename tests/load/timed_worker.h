#ifndef HYBRIDSERVE_TESTS_LOAD_TIMED_WORKER_H_
#define HYBRIDSERVE_TESTS_LOAD_TIMED_WORKER_H_

#include <cstdint>
#include <string>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/ids.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "common/worker_info.h"
#include "tests/load/token_chain.h"
#include "worker/memory_plan.h"
#include "worker/offload/plan_inbox.h"
#include "worker/offload/plan_validator.h"
#include "worker/worker.h"

namespace hybridserve {

struct TimedWorkerOptions {
  std::string name = "timed";
  std::string model_name = "load";
  absl::Duration step_time = absl::Milliseconds(250);
  // Of the host's pool; there is no other. 128 positions of KV a sequence.
  int32_t half_slots = 256 * 8 * 2;
  int32_t max_sequences = 256;  // That sample in one step.
  int32_t max_step_tokens = 2048;
};

// A worker for load tests: no device, but every step takes as long as it is
// told. Plans pass the fence and the validator of the real one; tokens are
// TokenChain's. It costs next to no CPU time, so that what is measured is the
// scheduler.
//
// Thread-safe as Worker is.
class TimedWorker final : public Worker {
 public:
  explicit TimedWorker(const TimedWorkerOptions& options);
  TimedWorker(const TimedWorker&) = delete;
  TimedWorker& operator=(const TimedWorker&) = delete;
  ~TimedWorker() override;  // Stop().

  const WorkerInfo& info() const override { return info_; }
  const MemoryPlan& memory_plan() const override { return memory_plan_; }
  int64_t unpinned_bytes() const override { return 0; }
  absl::Status Measure() override { return absl::OkStatus(); }
  void Start(ResultCallback on_result) override;
  void Submit(StepPlan plan) override { inbox_.Push(std::move(plan)); }
  void Reset(uint64_t epoch) override { inbox_.Reset(epoch); }
  void Stop() override;

 private:
  struct Sequence {
    TokenChain chain;
    int32_t sampled = -1;  // In its last step.
  };

  void Run();
  // What the plan gives, at once. A bad plan changes nothing and gives its
  // refusal.
  StepResult Execute(const StepPlan& plan);
  SequenceResult Advance(const StepSequence& step);

  const TimedWorkerOptions options_;
  const WorkerInfo info_;
  const MemoryPlan memory_plan_;
  PlanInbox inbox_{0};
  ResultCallback on_result_;  // Set before the thread starts.

  // The thread's own.
  PlanValidator validator_;
  absl::flat_hash_map<SequenceId, Sequence> sequences_;

  std::thread thread_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_TESTS_LOAD_TIMED_WORKER_H_
