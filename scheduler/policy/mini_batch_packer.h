#ifndef HYBRIDSERVE_SCHEDULER_POLICY_MINI_BATCH_PACKER_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_MINI_BATCH_PACKER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/cache/block_ref.h"
#include "common/step_plan.h"
#include "scheduler/policy/pack_item.h"  // IWYU pragma: export

namespace hybridserve {

// Half-slots of one layer's staging buffer that a block takes: a KV block from
// the host 2; a TOKENS block 2 (the K and V recomputed); an ACT block 3 (its
// row, and the K and V rebuilt from it), gathered from whichever tier; a KV
// block on the device none.
int64_t StagedHalfSlots(const BlockRef& block);
int64_t StagedHalfSlots(absl::Span<const BlockRef> blocks);

// Puts items into mini-batches within `limits`, so that link and compute take
// even times in each: longest first, each where it adds least to the longer of
// the two (PAPER.md 1.3). Never more mini-batches than PackInOrder() makes, nor
// less even ones. Every item is in exactly one, in ascending order. An
// item beyond a limit of its own gets a mini-batch of its own; what admits
// sequences keeps such out. Deterministic; linear in the items.
std::vector<MiniBatch> PackMiniBatches(absl::Span<const PackItem> items,
                                       const PackLimits& limits);

// In order: a mini-batch is closed when the next item doesn't fit (next fit;
// every two neighbours together exceed a limit, so at most twice the fewest).
std::vector<MiniBatch> PackInOrder(absl::Span<const PackItem> items,
                                   const PackLimits& limits);

// Seconds of a layer lost because mini-batches are uneven: the sum over them of
// the longer of link and compute, less the longer of the two sums.
double WaitSeconds(absl::Span<const PackItem> items, const PackLimits& limits,
                   absl::Span<const MiniBatch> batches);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_MINI_BATCH_PACKER_H_
