#include "scheduler/policy/usable_pools.h"

#include <cmath>

namespace hybridserve {

bool HasOneMemory(const WorkerInfo& worker) {
  return std::isinf(worker.profile.link_bytes_per_second);
}

std::vector<PoolInfo> DevicePools(const WorkerInfo& worker) {
  return HasOneMemory(worker) ? worker.pools
                              : PoolsWithout(worker, Tier::kHost);
}

std::vector<PoolInfo> PoolsWithout(const WorkerInfo& worker, Tier tier) {
  std::vector<PoolInfo> pools;
  for (const PoolInfo& pool : worker.pools) {
    if (pool.tier != tier) pools.push_back(pool);
  }
  return pools;
}

}  // namespace hybridserve
