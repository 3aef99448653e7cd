#ifndef HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_POLICY_H_

#include <optional>
#include <string>
#include <vector>

#include "scheduler/policy/flexgen_percents.h"
#include "scheduler/policy/policy.h"

namespace hybridserve {

// The baseline `flexgen` (PAPER.md 2) through this engine: keys and values
// alone, a share of them on the device, in FlexGen's zig-zag schedule. What it
// is spared here: equal padded lengths, host threads that wait, activations on
// the host (they stay on the device whatever the percents say), and static
// batches; and, unless the relay is asked for, copies from unpinned memory.
// What it goes without: attention on the host, disk, compression.
//
// The worker decides where weights lie (--resident_weights) and whether its
// cache is pinned (--unpinned_cache); it is refused if the first is far off
// what the percents say, or if the relay is asked for and it has none.
//
// Thread-safe.
class FlexGenPolicy final : public Policy {
 public:
  // Without percents FlexGen's own search (flexgen_search.h) chooses the
  // cache's share and the number of sequences, by the worker's rates, for
  // weights as the worker has them. Mini-batches are as large as the staging
  // area takes: its model does not tell them apart.
  //
  // `relay`: cached rows go between host and device by way of a pinned buffer,
  // since FlexGen's host cache is not pinned (PAPER.md 2.5).
  FlexGenPolicy(const std::optional<FlexGenPercents>& percents, bool relay)
      : percents_(percents), relay_(relay) {}

  absl::string_view name() const override { return "flexgen"; }
  CacheMix ChooseMix(const CostModel& costs, const Capacities& capacities,
                     const Workload& workload) const override;
  double MaxActRatio(const CostModel& /*costs*/) const override { return 0; }
  absl::Status CheckWorker(const WorkerInfo& worker,
                           const ModelConfig& config) const override;
  std::vector<PoolInfo> UsablePools(const WorkerInfo& worker) const override;
  std::optional<double> resident_weights() const override {
    if (!percents_.has_value()) return std::nullopt;
    return percents_->weight_gpu;
  }
  bool unpinned_cache() const override { return relay_; }
  StepSchedule schedule() const override { return StepSchedule::kZigZag; }
  StepTime Predict(const CostModel& costs, const StepLoad& load,
                   const BlockCounts& blocks) const override;
  StepRoster Plan(const StepSnapshot& snapshot,
                  const CacheMix& mix) const override;

 private:
  // What runs without percents, and its words for it.
  MixPoint Search(const CostModel& costs, const Capacities& capacities,
                  const Workload& workload, std::string& why) const;

  const std::optional<FlexGenPercents> percents_;
  const bool relay_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_POLICY_H_
