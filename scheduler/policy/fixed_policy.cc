#include "scheduler/policy/fixed_policy.h"

#include "absl/time/time.h"
#include "glog/logging.h"
#include "scheduler/policy/mix_report.h"
#include "scheduler/policy/mix_search.h"

namespace hybridserve {

FixedPolicy::FixedPolicy(std::string name, double act_ratio, std::string reason)
    : name_(std::move(name)),
      act_ratio_(act_ratio),
      reason_(std::move(reason)) {
  CHECK(act_ratio >= 0 && act_ratio <= 1) << act_ratio;
}

CacheMix FixedPolicy::ChooseMix(const CostModel& costs,
                                const Capacities& capacities,
                                const Workload& workload) const {
  CacheMix mix;
  mix.act_ratio = MaxActRatio(costs);
  const bool refused = mix.act_ratio != act_ratio_;
  mix.chosen = BestMix(costs, capacities, workload,
                       {.least = mix.act_ratio, .most = mix.act_ratio});
  mix.kv = BestMix(costs, capacities, workload, {.least = 0, .most = 0});
  if (costs.shape.act_pays) {
    mix.act = BestMix(costs, capacities, workload, {.least = 1, .most = 1});
  }
  // A fixed share runs all that fits, unless it was asked to be quick.
  if (workload.max_step_time != absl::InfiniteDuration()) {
    mix.max_sequences = MaxSequences(costs, capacities, workload, mix.chosen);
  }
  mix.reason = DescribeMix(mix, refused ? kActDoesNotPay : reason_);
  return mix;
}

double FixedPolicy::MaxActRatio(const CostModel& costs) const {
  return costs.shape.act_pays ? act_ratio_ : 0;
}

}  // namespace hybridserve
