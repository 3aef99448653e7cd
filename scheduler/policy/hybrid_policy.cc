#include "scheduler/policy/hybrid_policy.h"

#include "scheduler/policy/mix_report.h"
#include "scheduler/policy/mix_search.h"
#include "scheduler/policy/prefill_chunk.h"

namespace hybridserve {

CacheMix HybridPolicy::ChooseMix(const CostModel& costs,
                                 const Capacities& capacities,
                                 const Workload& workload) const {
  if (costs.is_free()) return {.reason = "the worker measured no rates"};
  CacheMix mix;
  const double most = MaxActRatio(costs);
  mix.chosen = BestMix(costs, capacities, workload, {.most = most});
  if (mix.chosen.sequences == 0) {
    mix.act_ratio = most;
    mix.reason = "an average sequence does not fit; ACT takes the least room";
    return mix;
  }
  mix.act_ratio = mix.chosen.blocks.act() / mix.chosen.blocks.total();
  mix.max_sequences = MaxSequences(costs, capacities, workload, mix.chosen);
  mix.kv = BestMix(costs, capacities, workload, {.least = 0, .most = 0});
  if (costs.shape.act_pays) {
    mix.act = BestMix(costs, capacities, workload, {.least = 1, .most = 1});
  }
  mix.reason = DescribeMix(mix, costs.shape.act_pays ? "" : kActDoesNotPay);
  return mix;
}

double HybridPolicy::MaxActRatio(const CostModel& costs) const {
  return costs.shape.act_pays ? 1 : 0;
}

StepRoster HybridPolicy::Plan(const StepSnapshot& snapshot,
                              const CacheMix& /*mix*/) const {
  return FormRoster(snapshot, PrefillRowsInSlack(snapshot));
}

}  // namespace hybridserve
