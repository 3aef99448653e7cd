#ifndef HYBRIDSERVE_SCHEDULER_CORE_TESTING_CONVERTING_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_CORE_TESTING_CONVERTING_POLICY_H_

#include <memory>

#include "scheduler/policy/policy.h"

namespace hybridserve {

// Most blocks begin as ACT, and become KV where a step computes too long: with
// a slow worker many do. Thread-safe.
class ConvertingPolicy final : public Policy {
 public:
  absl::string_view name() const override { return policy_->name(); }
  CacheMix ChooseMix(const CostModel& costs, const Capacities& capacities,
                     const Workload& workload) const override {
    return policy_->ChooseMix(costs, capacities, workload);
  }
  double MaxActRatio(const CostModel& costs) const override {
    return policy_->MaxActRatio(costs);
  }
  bool converts() const override { return true; }

 private:
  const std::unique_ptr<Policy> policy_ = ParsePolicy("hybrid", 0.8).value();
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_TESTING_CONVERTING_POLICY_H_
