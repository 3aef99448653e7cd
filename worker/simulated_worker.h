#ifndef HYBRIDSERVE_WORKER_SIMULATED_WORKER_H_
#define HYBRIDSERVE_WORKER_SIMULATED_WORKER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/dtype.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "common/work_profile.h"
#include "common/worker_info.h"
#include "worker/device/sim/sim_clock.h"
#include "worker/offload/direct_engine.h"
#include "worker/offload/engine_resources.h"
#include "worker/worker_options.h"

namespace hybridserve {

struct SimulatedWorkerOptions {
  std::string config_json;  // Of the model; there are no weights.
  std::string description;  // Of the device, in words.
  WorkProfile profile;      // What each piece of work takes on it.
  // What it registers as its profile. Unset: the true one.
  std::optional<WorkProfile> registered;
  DType dtype = DType::kBFloat16;
  int64_t device_bytes = 0;  // That the device has.
  int64_t host_bytes = 0;    // That the host has.
  MemorySetting device_memory;
  MemorySetting host_memory;
  int64_t recompute_tokens = 0;
  std::optional<double> resident_weights;
  int64_t staging_memory_bytes = 0;
  int weight_buffers = 2;
  int block_tokens = 16;
  bool one_memory = false;  // The device computes in the host's memory.
  bool unpinned_cache = false;
  int64_t max_running = 256;
};

// A worker whose device is simulated: the memory planner, engine and plans are
// the real ones, time and weights are not. Plans run when the caller says so.
// Thread-compatible.
class SimulatedWorker {
 public:
  // `clock` is borrowed and outlives it. InvalidArgument for a bad config.json,
  // and the errors of MakeMemoryPlan().
  static absl::StatusOr<std::unique_ptr<SimulatedWorker>> Create(
      SimulatedWorkerOptions options, SimClock& clock);

  const WorkerInfo& info() const { return info_; }
  const MemoryPlan& memory_plan() const { return resources_.memory; }

  void Submit(StepPlan plan) { engine_->Submit(std::move(plan)); }
  int64_t outstanding() const { return engine_->outstanding(); }
  // Runs the oldest outstanding plan, of which there is one.
  StepResult RunNext() { return engine_->RunNext(); }

 private:
  SimulatedWorker() = default;

  EngineResources resources_;
  WorkerInfo info_;
  std::unique_ptr<DirectEngine> engine_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_SIMULATED_WORKER_H_
