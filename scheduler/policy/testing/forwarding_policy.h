#ifndef HYBRIDSERVE_SCHEDULER_POLICY_TESTING_FORWARDING_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_TESTING_FORWARDING_POLICY_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "scheduler/policy/policy.h"

namespace hybridserve {

// Another policy, but for what a subclass overrides. Thread-safe.
class ForwardingPolicy : public Policy {
 public:
  explicit ForwardingPolicy(std::unique_ptr<Policy> policy)
      : policy_(std::move(policy)) {}

  absl::string_view name() const override { return policy_->name(); }
  CacheMix ChooseMix(const CostModel& costs, const Capacities& capacities,
                     const Workload& workload) const override {
    return policy_->ChooseMix(costs, capacities, workload);
  }
  double MaxActRatio(const CostModel& costs) const override {
    return policy_->MaxActRatio(costs);
  }
  double recompute_ratio() const override { return policy_->recompute_ratio(); }
  absl::Status CheckWorker(const WorkerInfo& worker,
                           const ModelConfig& config) const override {
    return policy_->CheckWorker(worker, config);
  }
  std::vector<PoolInfo> UsablePools(const WorkerInfo& worker) const override {
    return policy_->UsablePools(worker);
  }
  std::optional<double> resident_weights() const override {
    return policy_->resident_weights();
  }
  bool unpinned_cache() const override { return policy_->unpinned_cache(); }
  StepSchedule schedule() const override { return policy_->schedule(); }
  StepTime Predict(const CostModel& costs, const StepLoad& load,
                   const BlockCounts& blocks) const override {
    return policy_->Predict(costs, load, blocks);
  }
  bool probes() const override { return policy_->probes(); }
  bool converts() const override { return policy_->converts(); }
  StepRoster Plan(const StepSnapshot& snapshot,
                  const CacheMix& mix) const override {
    return policy_->Plan(snapshot, mix);
  }

 private:
  const std::unique_ptr<Policy> policy_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_TESTING_FORWARDING_POLICY_H_
