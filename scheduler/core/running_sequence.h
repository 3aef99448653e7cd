#ifndef HYBRIDSERVE_SCHEDULER_CORE_RUNNING_SEQUENCE_H_
#define HYBRIDSERVE_SCHEDULER_CORE_RUNNING_SEQUENCE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/cache/block_ref.h"
#include "common/step_plan.h"
#include "scheduler/core/live_request.h"
#include "scheduler/policy/pool_forecast.h"
#include "scheduler/policy/step_cost.h"
#include "scheduler/policy/step_roster.h"

namespace hybridserve {

// A request on a worker: its slots, and how far plans and results have got.
// Plans run ahead of results, so "scheduled" counts what was sent and "done"
// what came back.
struct RunningSequence {
  LiveRequest& live;             // Outlives this.
  std::vector<CacheKind> kinds;  // Of all blocks up to live.max_positions().
  int64_t full_half_slots = 0;   // Of `kinds`.
  std::vector<BlockRef> blocks;  // That it holds: the first of `kinds`.
  int64_t half_slots = 0;        // Of `blocks`.
  int64_t num_probes = 0;        // First blocks that are there to be measured.
  int64_t prefill_positions;     // Known tokens when it came here.
  int64_t num_sent_blocks = 0;   // Of `blocks`, known to the worker.
  int64_t num_scheduled = 0;     // Positions.
  BlockCounts cached;            // Blocks of the scheduled positions.
  int64_t num_done = 0;          // Positions.
  int64_t samples_in_flight = 0;

  // What the next step could do with it. A row whose block it does not hold yet
  // waits.
  SequenceView View(int32_t block_tokens) const;

  // Blocks for the rows that could run next and for one after them.
  int64_t NumBlocksWanted(int32_t block_tokens) const;

  // Of `kinds`: told to the worker, or there to be measured.
  int64_t num_fixed_kinds() const {
    return std::max(num_sent_blocks, num_probes);
  }

  // For the forecast of the pool.
  Footprint footprint() const;

  // Its part of a plan that runs the next `num_new` positions, at most
  // View().num_ready, whose rows then count as scheduled. The blocks that those
  // are the first to touch are added to `plan`'s table updates.
  void AddTo(StepPlan& plan, int32_t num_new, int32_t block_tokens);

  // ACT blocks that a step which finds `num_cached` positions in the cache can
  // turn into KV: whole, and not there to be measured. At most so many, and
  // which those are, the first `count` of them.
  int64_t MostConvertible(int64_t num_cached, int32_t block_tokens) const;
  std::vector<int32_t> Convertible(int64_t num_cached, int32_t block_tokens,
                                   int64_t count) const;

  // Turns blocks of a sequence that `plan` runs into KV at `places`, one a
  // block, and tells it so. Returns where they were: free after the plan.
  std::vector<BlockRef> Convert(absl::Span<const int32_t> indices,
                                absl::Span<const BlockRef> places,
                                StepPlan& plan);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_RUNNING_SEQUENCE_H_
