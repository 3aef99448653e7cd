#include "scheduler/policy/resident_policy.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/size.h"
#include "scheduler/policy/usable_pools.h"

namespace hybridserve {

absl::Status ResidentPolicy::CheckWorker(const WorkerInfo& worker,
                                         const ModelConfig& config) const {
  const int64_t layers = config.num_layers * worker.streamed_layer_bytes;
  const int64_t streamed = layers + worker.streamed_head_bytes;
  if (streamed > 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--policy=resident: ", FormatSize(streamed), " (", streamed,
        " bytes) of the model's weights stay on the worker's host; it needs as "
        "much more --device_memory, or --resident_weights=100 if that is there "
        "and used otherwise"));
  }
  for (const PoolInfo& pool : UsablePools(worker)) {
    if (pool.half_slots >= HalfSlotsOf(CacheKind::kKv)) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "--policy=resident: the weights leave no device memory for cache; the "
      "worker needs more --device_memory");
}

std::vector<PoolInfo> ResidentPolicy::UsablePools(
    const WorkerInfo& worker) const {
  return DevicePools(worker);
}

}  // namespace hybridserve
