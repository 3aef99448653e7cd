#include "worker/offload/step_layout.h"

#include <algorithm>

#include "glog/logging.h"

namespace hybridserve {
namespace {

// Appends the runs that take a sequence's new rows to its blocks.
void AddWrites(const SequenceState& state, const StepSequence& sequence,
               int32_t first_row, int32_t block_tokens, StepLayout& layout) {
  int32_t done = 0;
  while (done < sequence.num_new) {
    const int32_t position = sequence.num_cached + done;
    const int32_t in_block = position % block_tokens;
    const int32_t count =
        std::min(block_tokens - in_block, sequence.num_new - done);
    layout.writes.push_back({.block = state.blocks[position / block_tokens],
                             .first_row_in_block = in_block,
                             .first_row = first_row + done,
                             .num_rows = count});
    done += count;
  }
}

void AddInputs(const StepSequence& sequence, int32_t index,
               StepLayout& layout) {
  const bool last_token = sequence.new_tokens.empty();
  layout.needs_last_tokens |= last_token;
  for (int32_t i = 0; i < sequence.num_new; ++i) {
    layout.inputs.push_back({.sequence = index,
                             .token = last_token ? -1 : sequence.new_tokens[i],
                             .position = sequence.num_cached + i});
  }
}

void AddHeadRows(const StepSequence& sequence, int32_t index, int32_t first_row,
                 StepLayout& layout) {
  if (sequence.sample) {
    layout.samples.push_back(
        {.sequence = index,
         .row = first_row + sequence.num_new - 1,
         .params = sequence.sampling,
         .position = int64_t{sequence.num_cached} + sequence.num_new});
  }
  for (size_t i = 0; i < sequence.score_targets.size(); ++i) {
    if (sequence.score_targets[i] < 0) continue;
    layout.scores.push_back({.sequence = index,
                             .row = first_row + static_cast<int32_t>(i),
                             .target = sequence.score_targets[i]});
  }
}

// Gives every staged block its place: ACT blocks first.
void PlaceBlocks(const StepLimits& limits, MiniBatchLayout& mini_batch) {
  for (const bool act : {true, false}) {
    for (SequenceLayout& sequence : mini_batch.sequences) {
      for (BlockUse& use : sequence.blocks) {
        if ((use.block.kind == CacheKind::kAct) != act) continue;
        if (!act && ReadInPlace(use.block.tier, limits)) continue;
        use.staging_index = mini_batch.num_staged_blocks();
        ++(act ? mini_batch.num_act_blocks : mini_batch.num_loaded_blocks);
      }
    }
  }
}

}  // namespace

bool ReadInPlace(Tier tier, const StepLimits& limits) {
  return tier == Tier::kDevice || limits.one_memory;
}

StepLayout MakeStepLayout(const StepPlan& plan, const SequenceTable& table,
                          const StepLimits& limits) {
  StepLayout layout;
  for (const MiniBatch& members : plan.mini_batches) {
    MiniBatchLayout& mini_batch = layout.mini_batches.emplace_back();
    mini_batch.first_row = layout.num_rows();
    for (const int32_t index : members.sequences) {
      const StepSequence& sequence = plan.sequences[index];
      const SequenceState* state = table.Find(sequence.sequence);
      CHECK(state != nullptr);
      SequenceLayout& placed = mini_batch.sequences.emplace_back();
      const int32_t first_row = layout.num_rows();
      placed.first_row = first_row - mini_batch.first_row;
      placed.num_rows = sequence.num_new;
      placed.num_cached = sequence.num_cached;
      for (int32_t from = 0; from < sequence.num_cached;
           from += limits.block_tokens) {
        placed.blocks.push_back(
            {.block = state->blocks[from / limits.block_tokens],
             .num_rows =
                 std::min(limits.block_tokens, sequence.num_cached - from)});
      }
      AddInputs(sequence, index, layout);
      AddWrites(*state, sequence, first_row, limits.block_tokens, layout);
      AddHeadRows(sequence, index, first_row, layout);
    }
    mini_batch.num_rows = layout.num_rows() - mini_batch.first_row;
    PlaceBlocks(limits, mini_batch);
  }
  return layout;
}

}  // namespace hybridserve
