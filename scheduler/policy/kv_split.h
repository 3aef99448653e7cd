#ifndef HYBRIDSERVE_SCHEDULER_POLICY_KV_SPLIT_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_KV_SPLIT_H_

#include <cstdint>

#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// A cache of keys and values without activations: what is left to say of it.
struct KvSplit {
  // Share of a sequence's blocks that are TOKENS.
  double recompute_ratio = 0;
  // Share of the kept blocks that may lie on the device.
  double device_share = 1;
  bool zig_zag = false;  // Steps run in that schedule.
};

// What a decode step of `sequences` takes with such a cache, the device's pool
// filled first, as far as its share goes. `sequences` of the result is 0 if
// they don't fit. Pure.
MixPoint PredictKvSplit(const CostModel& costs, const Capacities& capacities,
                        const Workload& workload, int64_t sequences,
                        const KvSplit& split);

// The same for as many sequences as fit and no step above max_step_time; one,
// if every step is.
MixPoint MostSequences(const CostModel& costs, const Capacities& capacities,
                       const Workload& workload, const KvSplit& split);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_KV_SPLIT_H_
