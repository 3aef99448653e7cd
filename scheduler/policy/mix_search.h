#ifndef HYBRIDSERVE_SCHEDULER_POLICY_MIX_SEARCH_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_MIX_SEARCH_H_

#include <cstdint>

#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// The ACT shares that are open, 0 <= least <= most <= 1.
struct ActShares {
  double least = 0;
  double most = 1;
};

// Blocks that one sequence of the workload reserves.
int64_t BlocksPerSequence(const CostModel& costs, const Workload& workload);

// What a decode step of these sequences takes: their context fills the same
// share of every kind's and tier's reserved blocks.
StepTime PredictDecode(const CostModel& costs, const Workload& workload,
                       int64_t sequences, const BlockCounts& reserved);

// The whole numbers of blocks on each tier and of each kind that make a decode
// step of `sequences` shortest; on a tie, fewest ACT blocks. `sequences` of the
// result is 0 if they don't fit.
MixPoint BestPlacement(const CostModel& costs, const Capacities& capacities,
                       const Workload& workload, ActShares shares,
                       int64_t sequences);

// The number of sequences, too, that makes the predicted time per token least
// (within 0.5%; among those the largest) with no step above max_step_time. If
// every step is, one sequence.
MixPoint BestMix(const CostModel& costs, const Capacities& capacities,
                 const Workload& workload, ActShares shares);

// `best.sequences` if one more would fit but is not chosen, else INT64_MAX:
// what memory bounds needs no other bound.
int64_t MaxSequences(const CostModel& costs, const Capacities& capacities,
                     const Workload& workload, const MixPoint& best);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_MIX_SEARCH_H_
