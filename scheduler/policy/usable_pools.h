#ifndef HYBRIDSERVE_SCHEDULER_POLICY_USABLE_POOLS_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_USABLE_POOLS_H_

#include <vector>

#include "common/cache/block_ref.h"
#include "common/worker_info.h"

namespace hybridserve {

// Whether host and device are one memory: the one pool is HOST's then, and no
// copy is made.
bool HasOneMemory(const WorkerInfo& worker);

// The pools that steps read in place.
std::vector<PoolInfo> DevicePools(const WorkerInfo& worker);

// All pools but those of `tier`.
std::vector<PoolInfo> PoolsWithout(const WorkerInfo& worker, Tier tier);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_USABLE_POOLS_H_
