#ifndef HYBRIDSERVE_SCHEDULER_POLICY_MIX_SEARCH_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_MIX_SEARCH_H_

#include <cstdint>

#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/placement_search.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

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
