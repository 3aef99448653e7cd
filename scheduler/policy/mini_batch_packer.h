#ifndef HYBRIDSERVE_SCHEDULER_POLICY_MINI_BATCH_PACKER_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_MINI_BATCH_PACKER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/cache/block_ref.h"
#include "common/step_plan.h"

namespace hybridserve {

// What one sequence takes of a mini-batch.
struct PackItem {
  int64_t staged_half_slots = 0;
  int64_t rows = 0;
};

// Half-slots of one layer's staging buffer that a block takes: a KV block from
// the host 2; an ACT block 3 (its row, and the K and V rebuilt from it),
// gathered from whichever tier; a KV block on the device none.
int64_t StagedHalfSlots(const BlockRef& block);
int64_t StagedHalfSlots(absl::Span<const BlockRef> blocks);

// Puts items into mini-batches of at most `max_half_slots` and `max_rows`, in
// order: a mini-batch is closed when the next item doesn't fit (next fit; every
// two neighbours together exceed a limit, so at most twice the fewest). Every
// item is in exactly one. An item beyond a limit of its own gets a mini-batch
// of its own; what admits sequences keeps such out. Linear time.
std::vector<MiniBatch> PackMiniBatches(absl::Span<const PackItem> items,
                                       int64_t max_half_slots,
                                       int64_t max_rows);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_MINI_BATCH_PACKER_H_
