#include "scheduler/policy/fixed_policy.h"

#include "glog/logging.h"

namespace hybridserve {

FixedPolicy::FixedPolicy(std::string name, double act_ratio, std::string reason)
    : name_(std::move(name)),
      act_ratio_(act_ratio),
      reason_(std::move(reason)) {
  CHECK(act_ratio >= 0 && act_ratio <= 1) << act_ratio;
}

CacheMix FixedPolicy::ChooseMix(const CostInputs& costs,
                                const Capacities& /*capacities*/,
                                const Workload& /*workload*/) const {
  if (!costs.act_pays && act_ratio_ > 0) {
    return {0, std::string{kActDoesNotPay}};
  }
  return {act_ratio_, reason_};
}

double FixedPolicy::MaxActRatio(const CostInputs& costs) const {
  return costs.act_pays ? act_ratio_ : 0;
}

}  // namespace hybridserve
