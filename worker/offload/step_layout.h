#ifndef HYBRIDSERVE_WORKER_OFFLOAD_STEP_LAYOUT_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_STEP_LAYOUT_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/cache/block_ref.h"
#include "common/ids.h"
#include "common/sampling_params.h"
#include "common/step_plan.h"
#include "kernels/logit_change.h"
#include "worker/offload/sequence_table.h"
#include "worker/offload/step_limits.h"

namespace hybridserve {

// How a mini-batch reads one cached block.
struct BlockUse {
  BlockRef block;
  int32_t num_rows = 0;  // Positions of it that are cached, <= block_tokens.
  // Where its K and V lie in the staging area, counted in blocks of either; -1:
  // they are read in place. A mini-batch's ACT blocks take the first indices,
  // and those are their indices among the staged ACT rows too. TOKENS blocks
  // come next, those of a sequence side by side.
  int32_t staging_index = -1;
};

// One sequence in a mini-batch.
struct SequenceLayout {
  int32_t first_row = 0;  // Counted from the mini-batch's first row.
  int32_t num_rows = 0;
  int32_t num_cached = 0;
  std::vector<BlockUse> blocks;  // ceil(num_cached / block_tokens).
};

// Consecutive recomputed positions of one sequence: like a part of a prompt,
// but for their K and V, which go to the staging area.
struct RecomputedRun {
  int32_t first_row = 0;  // In the chunk.
  int32_t num_rows = 0;
  int32_t num_cached = 0;   // The sequence's recomputed positions before them.
  int32_t first_block = 0;  // Staging index of the sequence's first block.
};

// Recomputed rows that run through a layer together.
struct RecomputedChunk {
  int32_t first_row = 0;  // Of the mini-batch's recomputed rows.
  int32_t num_rows = 0;   // At most max_step_tokens.
  std::vector<RecomputedRun> runs;
};

// A block rebuilt from ACT whose keys and values are kept, to be read as KV
// from the next step on.
struct ConvertedBlock {
  int32_t staging_index = 0;
  BlockRef to;
};

struct MiniBatchLayout {
  int32_t first_row = 0;  // In the step.
  int32_t num_rows = 0;
  // Of StepLayout::recomputed. Whole blocks, in the order of staging.
  int32_t first_recomputed_row = 0;
  int32_t num_token_blocks = 0;   // Staged: recomputed.
  int32_t num_act_blocks = 0;     // Staged: copied as ACT, then rebuilt.
  int32_t num_loaded_blocks = 0;  // Staged: KV over the link.
  std::vector<SequenceLayout> sequences;
  std::vector<RecomputedChunk> recomputed;
  std::vector<ConvertedBlock> converted;

  int32_t num_staged_blocks() const {
    return num_act_blocks + num_token_blocks + num_loaded_blocks;
  }
  int64_t staged_half_slots() const {
    return int64_t{2} * num_staged_blocks() + num_act_blocks;
  }
};

// New rows that lie side by side in one block.
struct WriteRun {
  BlockRef block;
  int32_t first_row_in_block = 0;
  int32_t first_row = 0;  // In the step.
  int32_t num_rows = 0;
};

// A row whose logits choose a token.
struct SampledRow {
  int32_t sequence = 0;  // Index into StepPlan::sequences.
  int32_t row = 0;
  SamplingParams params;
  int64_t position = 0;  // Of the token being chosen.
  int32_t num_prompt = 0;
  // Filled in when all ids before `position` are known.
  std::vector<LogitChange> changes;
};

// A row for which the log-prob of one target is wanted.
struct ScoredRow {
  int32_t sequence = 0;
  int32_t row = 0;
  int32_t target = 0;
};

// A row's input token.
struct InputRow {
  int32_t sequence = 0;
  int32_t token = -1;  // -1: what the sequence sampled in its last step.
  int32_t position = 0;
};

// A plan as the engine runs it: rows in the order of mini-batches, blocks with
// their places. Plain data; refers to nothing.
struct StepLayout {
  std::vector<InputRow> inputs;  // One a row.
  // Positions of TOKENS blocks that run again, their ids known, in the order of
  // mini-batches. Their hidden rows come after the step's. What a block has
  // beyond the cached positions is filled up: nothing reads those.
  std::vector<InputRow> recomputed;
  std::vector<MiniBatchLayout> mini_batches;
  std::vector<WriteRun> writes;
  std::vector<SampledRow> samples;
  std::vector<ScoredRow> scores;  // In the order of sequences, then rows.
  bool needs_last_tokens = false;
  StepSchedule schedule = StepSchedule::kOverlapped;

  int32_t num_rows() const { return static_cast<int32_t>(inputs.size()); }
  // With the recomputed ones.
  int32_t num_input_rows() const {
    return num_rows() + static_cast<int32_t>(recomputed.size());
  }
  bool needs_head() const { return !samples.empty() || !scores.empty(); }
  // Some row wants the likeliest ids.
  bool wants_top() const {
    return std::any_of(
        samples.begin(), samples.end(),
        [](const SampledRow& row) { return row.params.top_log_probs > 0; });
  }
};

// Lays out a plan whose every field fits `table` (CHECKed only where memory
// would suffer). `table` is as the step reads it: before its conversions.
StepLayout MakeStepLayout(const StepPlan& plan, const SequenceTable& table,
                          const StepLimits& limits);

// Adds to the plan's layout what becomes of its blocks after the step.
// SequenceTable::Convert() took the plan.
void AddConversions(const StepPlan& plan, StepLayout& layout);

// Whether the ops read blocks of this tier where they lie.
bool ReadInPlace(Tier tier, const StepLimits& limits);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_STEP_LAYOUT_H_
