#ifndef HYBRIDSERVE_SCHEDULER_POLICY_KIND_SPREADER_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_KIND_SPREADER_H_

#include <cstdint>
#include <vector>

#include "common/cache/block_ref.h"

namespace hybridserve {

// The kinds of a sequence's blocks [0, num_blocks) when `num_act` of them are
// ACT, spread by error diffusion: with a = num_act / num_blocks, block i is ACT
// iff floor((i + 1) a) > floor(i a) (PAPER.md 1.3). So every prefix of n blocks
// has floor(n a) ACT blocks and any grouping of sequences is nearly balanced.
// Before them come `num_recomputed` TOKENS blocks, not counted in `num_blocks`.
std::vector<CacheKind> SpreadKinds(int64_t num_act, int64_t num_blocks,
                                   int64_t num_recomputed = 0);

// How many of a sequence's `num_new` blocks are to be ACT, so that it brings a
// pool of `num_blocks`, `num_act` of them ACT, to the share `act_ratio`, or as
// near as it may: its own share stays within 0.25 of `act_ratio`, so that
// sequences stay alike. `act_ratio` in [0, 1].
int64_t SteeredActBlocks(double act_ratio, int64_t num_act, int64_t num_blocks,
                         int64_t num_new);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_KIND_SPREADER_H_
