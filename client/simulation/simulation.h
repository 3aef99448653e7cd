#ifndef HYBRIDSERVE_CLIENT_SIMULATION_SIMULATION_H_
#define HYBRIDSERVE_CLIENT_SIMULATION_SIMULATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/step_result.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/snapshot.h"
#include "scheduler/policy/policy.h"
#include "worker/simulated_worker.h"

namespace hybridserve {

// Requests of one length, all at once.
struct SimulatedLoad {
  int64_t requests = 0;
  int64_t prompt_tokens = 0;
  int64_t output_tokens = 0;
};

struct SimulationResult {
  absl::Duration total;  // From the first step to the last token.
  int64_t generated_tokens = 0;
  int64_t running = 0;  // Requests that ran at once, at the start.
  // Steps in which so many ran, each one's last token making the next, before
  // any ended.
  int64_t decode_steps = 0;
  StepStats decode;          // Sums over them.
  absl::Duration predicted;  // The policy's predictions for them, added up.
  // The cache in the middle of those steps.
  int64_t kv_blocks = 0;
  int64_t act_blocks = 0;
  std::string mix_reason;

  absl::Duration decode_step() const {
    return decode_steps == 0 ? absl::ZeroDuration()
                             : decode.wall / decode_steps;
  }
  absl::Duration predicted_step() const {
    return decode_steps == 0 ? absl::ZeroDuration() : predicted / decode_steps;
  }
};

// Hears of each step once its result is in: what it took, and the worker as the
// scheduler then sees it.
using OnSimulatedStep =
    std::function<void(const StepStats&, const WorkerSnapshot&)>;

// Runs the scheduler's core and a simulated worker against each other on
// virtual clocks, in one thread: the same load gives the same result.
// `on_step` may be empty. The errors of SimulatedWorker::Create() and
// SchedulerCore::Submit().
absl::StatusOr<SimulationResult> Simulate(const SimulatedWorkerOptions& worker,
                                          const SchedulerOptions& scheduler,
                                          std::unique_ptr<Policy> policy,
                                          const SimulatedLoad& load,
                                          const OnSimulatedStep& on_step = {});

// The same for loads of several kinds, queued one after the other.
absl::StatusOr<SimulationResult> SimulateLoads(
    const SimulatedWorkerOptions& worker, const SchedulerOptions& scheduler,
    std::unique_ptr<Policy> policy, absl::Span<const SimulatedLoad> loads,
    const OnSimulatedStep& on_step = {});

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_SIMULATION_SIMULATION_H_
