#include "scheduler/core/worker_info_validator.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

absl::Status ValidateWorkerInfo(const WorkerInfo& info) {
  // More than any host holds, and the scheduler's table of them is still small.
  constexpr int32_t kMostHalfSlots = 1 << 26;
  const auto invalid = [](absl::string_view field, int64_t value) {
    return absl::InvalidArgumentError(
        absl::StrCat("worker: ", field, " is ", value));
  };
  if (info.model_name.empty()) {
    return absl::InvalidArgumentError("worker: model_name is empty");
  }
  if (info.numerics.block_tokens < 1) {
    return invalid("numerics.block_tokens", info.numerics.block_tokens);
  }
  if (info.max_step_tokens < 1) {
    return invalid("max_step_tokens", info.max_step_tokens);
  }
  if (info.max_logit_rows < 1) {
    return invalid("max_logit_rows", info.max_logit_rows);
  }
  if (info.staging_half_slots < 0) {
    return invalid("staging_half_slots", info.staging_half_slots);
  }
  if (info.max_recomputed_tokens < 0) {
    return invalid("max_recomputed_tokens", info.max_recomputed_tokens);
  }
  int tiers = 0;
  for (const PoolInfo& pool : info.pools) {
    const int tier = 1 << static_cast<int>(pool.tier);
    if ((tiers & tier) != 0) {
      return absl::InvalidArgumentError("worker: two pools of one tier");
    }
    tiers |= tier;
    if (pool.half_slots < 0 || pool.half_slots > kMostHalfSlots) {
      return invalid("pools.half_slots", pool.half_slots);
    }
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
