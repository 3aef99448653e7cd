#ifndef HYBRIDSERVE_SCHEDULER_POLICY_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_POLICY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/policy/cache_mix.h"
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

  // Wants unused kinds tried now and then, so that their costs stay known.
  virtual bool probes() const { return false; }

  // The next step's rows and mini-batches. Linear in the sequences and blocks.
  // By default FormRoster() (step_roster.h), whatever the mix.
  virtual StepRoster Plan(const StepSnapshot& snapshot,
                          const CacheMix& mix) const;
};

// The policy that `--policy` and `--act_ratio` name; `act_ratio` nullopt is
// "auto". kv: no ACT; act: ACT only; hybrid: the share predicted best
// (mix_search.h), or the fixed share `act_ratio`. InvalidArgument for an
// unknown name or a ratio outside [0, 1] or at odds with the name;
// Unimplemented for recompute, flexgen and resident.
absl::StatusOr<std::unique_ptr<Policy>> ParsePolicy(
    absl::string_view name, std::optional<double> act_ratio);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_POLICY_H_
