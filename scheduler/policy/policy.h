#ifndef HYBRIDSERVE_SCHEDULER_POLICY_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_POLICY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model_config.h"
#include "common/step_plan.h"
#include "common/worker_info.h"
#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/flexgen_percents.h"
#include "scheduler/policy/step_cost.h"
#include "scheduler/policy/step_roster.h"

namespace hybridserve {

// How a worker's cache is used: which kinds (rarely chosen) and which rows run
// together (chosen every step). A policy changes speed, never output.
//
// Both functions are pure: the same arguments give the same answer.
// Thread-safe.
class Policy {
 public:
  virtual ~Policy() = default;

  // As `--policy` spells it.
  virtual absl::string_view name() const = 0;

  // The mix for sequences like those of `workload`, and why.
  virtual CacheMix ChooseMix(const CostModel& costs,
                             const Capacities& capacities,
                             const Workload& workload) const = 0;

  // The largest ACT share that ChooseMix may ever give such a model: what
  // bounds the longest request that a worker's pool takes.
  virtual double MaxActRatio(const CostModel& costs) const = 0;

  // Share of a sequence's blocks, its first ones, that are TOKENS.
  virtual double recompute_ratio() const { return 0; }

  // Whether such a worker can be used; InvalidArgument saying what it lacks.
  virtual absl::Status CheckWorker(const WorkerInfo& worker,
                                   const ModelConfig& config) const;

  // The worker's pools, as far as the policy uses them.
  virtual std::vector<PoolInfo> UsablePools(const WorkerInfo& worker) const;

  // Percent of the weights that a worker in the same process is to keep on the
  // device; nullopt leaves it to the worker.
  virtual std::optional<double> resident_weights() const {
    return std::nullopt;
  }

  // Wants the host's cache of a worker in the same process in unpinned memory.
  virtual bool unpinned_cache() const { return false; }

  // How steps run on the worker.
  virtual StepSchedule schedule() const { return StepSchedule::kOverlapped; }

  // What such a step takes. By default PredictStep() (step_cost.h).
  virtual StepTime Predict(const CostModel& costs, const StepLoad& load,
                           const BlockCounts& blocks) const;

  // Wants unused kinds tried now and then, so that their costs stay known.
  virtual bool probes() const { return false; }

  // Wants ACT turned into KV where sequences have more of it than the mix and
  // the step's balance ask for (conversion.h).
  virtual bool converts() const { return false; }

  // The next step's rows and mini-batches. Linear in the sequences and blocks.
  // By default FormRoster() (step_roster.h), whatever the mix.
  virtual StepRoster Plan(const StepSnapshot& snapshot,
                          const CacheMix& mix) const;
};

// What some policies take besides; for others it must not be set.
struct PolicyParameters {
  std::optional<double> recompute_ratio;    // recompute's; 0.25 if not set.
  std::optional<FlexGenPercents> percents;  // flexgen's (flexgen_policy.h).
  std::optional<bool> relay;                // flexgen's; false if not set.
};

// The policy that `--policy` and `--act_ratio` name; `act_ratio` nullopt is
// "auto". kv: no ACT; act: ACT only; hybrid: the share predicted best
// (mix_search.h), or the fixed share `act_ratio`; the others:
// recompute_policy.h, flexgen_policy.h, resident_policy.h. InvalidArgument for
// an unknown name or a number out of its range or at odds with the name.
absl::StatusOr<std::unique_ptr<Policy>> ParsePolicy(
    absl::string_view name, std::optional<double> act_ratio,
    const PolicyParameters& parameters = {});

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_POLICY_H_
