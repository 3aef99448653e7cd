#ifndef HYBRIDSERVE_SCHEDULER_POLICY_KIND_SPREADER_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_KIND_SPREADER_H_

#include <cstdint>
#include <vector>

#include "common/cache/block_ref.h"

namespace hybridserve {

// The kinds of a sequence's blocks [0, num_blocks) when a share `act_ratio` of
// them is ACT, spread by error diffusion: block i is ACT iff
// floor((i + 1) a) > floor(i a) (PAPER.md 1.3). So every prefix of n blocks has
// floor(n a) ACT blocks and any grouping of sequences is nearly balanced.
// `act_ratio` in [0, 1]. Before them come `num_recomputed` TOKENS blocks, which
// count in `num_blocks` and not in the share.
std::vector<CacheKind> SpreadKinds(double act_ratio, int64_t num_blocks,
                                   int64_t num_recomputed = 0);

// The ACT share for a sequence of `num_new` blocks that brings a pool of
// `num_blocks`, `num_act` of them ACT, to the share `act_ratio`, or as near as
// it may: it stays within 0.25 of `act_ratio`, so that sequences stay alike.
// `act_ratio` in [0, 1], num_new > 0.
double SteeredActRatio(double act_ratio, int64_t num_act, int64_t num_blocks,
                       int64_t num_new);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_KIND_SPREADER_H_
