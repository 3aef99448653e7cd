#ifndef HYBRIDSERVE_COMMON_STEP_PLAN_H_
#define HYBRIDSERVE_COMMON_STEP_PLAN_H_

#include <cstdint>
#include <vector>

#include "common/cache/block_ref.h"
#include "common/ids.h"
#include "common/sampling_params.h"

namespace hybridserve {

// Orders messages and keeps strangers out: messages of an older scheduler
// (term), an older worker incarnation (epoch) or an unexpected step are
// dropped.
struct Fence {
  uint64_t term = 0;
  uint64_t epoch = 0;
  uint64_t step = 0;  // 1 for the first plan of an epoch, then +1 each.

  friend bool operator==(const Fence&, const Fence&) = default;
};

// A change to one sequence's block table, applied before the step runs.
struct TableUpdate {
  SequenceId sequence;
  // The blocks from index `first_block` on are replaced by `blocks`; earlier
  // ones stay. 0 sends the full table and creates the sequence if it is new.
  int32_t first_block = 0;
  std::vector<BlockRef> blocks;
  // BlockTableHash (common/cache/table_hash.h) of the table after the update.
  // A worker that computes another refuses the plan: its state is not ours.
  uint64_t table_hash = 0;
};

// An ACT block that becomes KV.
struct BlockConversion {
  int32_t block = 0;  // Index into the sequence's table.
  BlockRef to;        // KV, on either tier, in half-slots of nobody's.
};

// Blocks of one sequence that change their kind with a step. The step reads
// them as ACT; the keys and values that it rebuilds from them are written to
// the new half-slots, and from the next plan on the blocks are those and the
// old half-slots are free. The sequence runs in the step, and the blocks are
// whole: all their positions are cached.
struct TableConversion {
  SequenceId sequence;
  std::vector<BlockConversion> blocks;
  // BlockTableHash of the table after the conversion, as TableUpdate's.
  uint64_t table_hash = 0;
};

// What one sequence does in a step: `num_new` token positions run through all
// layers, starting at position `num_cached`.
struct StepSequence {
  SequenceId sequence;
  int32_t num_cached = 0;  // Positions already in the cache.
  // Input ids of positions [num_cached, num_cached + num_new). Empty with
  // num_new == 1 means: the token that this sequence sampled in its last step
  // (its result need not have reached the scheduler yet).
  std::vector<int32_t> new_tokens;
  int32_t num_new = 0;
  // Sample a token from the last new position's logits.
  bool sample = false;
  SamplingParams sampling;
  // Positions of the prompt: ids from there on are output, which penalties tell
  // apart. At most num_cached + num_new where it samples.
  int32_t num_prompt = 0;
  // Score: the ids whose log-probs are wanted given each new position, one a
  // new position (-1: none). Empty unless the sequence is being scored.
  std::vector<int32_t> score_targets;
};

// The sequences whose staged cache shares the staging buffer, by index into
// StepPlan::sequences. Every sequence of a step is in exactly one mini-batch.
struct MiniBatch {
  std::vector<int32_t> sequences;
};

// How a step's copies and ops follow each other. Changes speed alone.
enum class StepSchedule : uint8_t {
  // Copies run ahead of computing as far as buffers allow.
  kOverlapped = 1,
  // FlexGen's zig-zag block schedule (PAPER.md 2.2): with a layer's first
  // mini-batch all weights of the next item are loaded, with every mini-batch
  // the next one's cache, and after each everything waits for everything.
  kZigZag = 2,
};

// Everything a worker needs for one pass of all running sequences through all
// layers (DESIGN.md 4). Sent as deltas: tables persist on the worker. The kind
// and tier of a block say how it is used: HOST KV: LOAD; ACT: REBUILD; DEVICE
// KV: RESIDENT; TOKENS: run through the layers again, ahead of the new rows;
// and the rows of new tokens are written back as the kind of the block that
// holds their position says. The table covers num_cached + num_new positions.
struct StepPlan {
  Fence fence;
  // Sequences that are gone. Applied first; their slots may be reused by
  // `table_updates` of this very plan, whose writes come later in order.
  std::vector<SequenceId> released;
  std::vector<TableUpdate> table_updates;
  std::vector<StepSequence> sequences;
  std::vector<MiniBatch> mini_batches;
  // Applied last: after updates, and after what the step reads was settled.
  std::vector<TableConversion> conversions;
  StepSchedule schedule = StepSchedule::kOverlapped;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_STEP_PLAN_H_
