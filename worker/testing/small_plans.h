#ifndef HYBRIDSERVE_WORKER_TESTING_SMALL_PLANS_H_
#define HYBRIDSERVE_WORKER_TESTING_SMALL_PLANS_H_

#include <cstdint>
#include <vector>

#include "common/cache/block_ref.h"
#include "common/cache/table_hash.h"
#include "common/ids.h"
#include "common/step_plan.h"
#include "worker/offload/step_limits.h"

// What tests write plans with by hand.
namespace hybridserve {

inline constexpr StepLimits kSmallLimits = {.max_step_tokens = 64,
                                            .max_logit_rows = 4,
                                            .staging_half_slots = 12,
                                            .host_half_slots = 20,
                                            .device_half_slots = 6,
                                            .block_tokens = 16,
                                            .vocab_size = 100,
                                            .max_positions = 80};

inline constexpr BlockRef kTokenBlock = {.kind = CacheKind::kTokens};

inline BlockRef Kv(int first, int second, Tier tier = Tier::kHost) {
  return {CacheKind::kKv, tier, HalfSlot(first), HalfSlot(second)};
}

inline BlockRef Act(int slot, Tier tier = Tier::kHost) {
  return {CacheKind::kAct, tier, HalfSlot(slot), HalfSlot(0)};
}

// A sequence's whole table.
inline TableUpdate FullTable(uint64_t id, const std::vector<BlockRef>& blocks) {
  return {.sequence = SequenceId(id),
          .first_block = 0,
          .blocks = blocks,
          .table_hash = BlockTableHash(blocks)};
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_TESTING_SMALL_PLANS_H_
