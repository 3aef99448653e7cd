#include "worker/offload/step_layout.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
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
    const BlockRef& block = state.blocks[position / block_tokens];
    if (block.kind != CacheKind::kTokens) {
      layout.writes.push_back({.block = block,
                               .first_row_in_block = in_block,
                               .first_row = first_row + done,
                               .num_rows = count});
    }
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
         .position = int64_t{sequence.num_cached} + sequence.num_new,
         .num_prompt = sequence.num_prompt});
  }
  for (size_t i = 0; i < sequence.score_targets.size(); ++i) {
    if (sequence.score_targets[i] < 0) continue;
    layout.scores.push_back({.sequence = index,
                             .row = first_row + static_cast<int32_t>(i),
                             .target = sequence.score_targets[i]});
  }
}

// Gives every staged block its place: ACT blocks first, then TOKENS.
void PlaceBlocks(const StepLimits& limits, MiniBatchLayout& mini_batch) {
  const struct {
    CacheKind kind;
    int32_t& count;
  } kinds[] = {{CacheKind::kAct, mini_batch.num_act_blocks},
               {CacheKind::kTokens, mini_batch.num_token_blocks},
               {CacheKind::kKv, mini_batch.num_loaded_blocks}};
  for (const auto& [kind, count] : kinds) {
    for (SequenceLayout& sequence : mini_batch.sequences) {
      for (BlockUse& use : sequence.blocks) {
        if (use.block.kind != kind ||
            (kind == CacheKind::kKv && ReadInPlace(use.block.tier, limits))) {
          continue;
        }
        use.staging_index = mini_batch.num_staged_blocks();
        ++count;
      }
    }
  }
}

// Appends the rows of `num_blocks` recomputed blocks, staged from `first_block`
// on, to the mini-batch's chunks.
void AddToChunks(int32_t num_blocks, int32_t first_block,
                 const StepLimits& limits, MiniBatchLayout& mini_batch) {
  std::vector<RecomputedChunk>& chunks = mini_batch.recomputed;
  const int32_t end = num_blocks * limits.block_tokens;
  for (int32_t done = 0; done < end;) {
    if (chunks.empty() || chunks.back().num_rows == limits.max_step_tokens) {
      const int32_t first_row =
          chunks.empty() ? 0 : chunks.back().first_row + chunks.back().num_rows;
      chunks.push_back({.first_row = first_row});
    }
    RecomputedChunk& chunk = chunks.back();
    const int32_t count =
        std::min(end - done, limits.max_step_tokens - chunk.num_rows);
    chunk.runs.push_back({.first_row = chunk.num_rows,
                          .num_rows = count,
                          .num_cached = done,
                          .first_block = first_block});
    chunk.num_rows += count;
    done += count;
  }
}

// Lays out what the mini-batch recomputes; its blocks have their places.
void AddRecomputed(const StepPlan& plan, const MiniBatch& members,
                   const SequenceTable& table, const StepLimits& limits,
                   StepLayout& layout) {
  MiniBatchLayout& mini_batch = layout.mini_batches.back();
  mini_batch.first_recomputed_row =
      static_cast<int32_t>(layout.recomputed.size());
  for (size_t i = 0; i < members.sequences.size(); ++i) {
    const int32_t index = members.sequences[i];
    const SequenceLayout& placed = mini_batch.sequences[i];
    const absl::Span<const int32_t> tokens =
        table.Tokens(plan.sequences[index].sequence);
    int32_t num_blocks = 0;
    for (const BlockUse& use : placed.blocks) {
      if (use.block.kind != CacheKind::kTokens) break;
      for (int32_t row = 0; row < limits.block_tokens; ++row) {
        InputRow input = {.sequence = index, .token = 0, .position = 0};
        if (row < use.num_rows) {
          input.position = num_blocks * limits.block_tokens + row;
          input.token = tokens[input.position];
          CHECK_GE(input.token, 0);
        }
        layout.recomputed.push_back(input);
      }
      ++num_blocks;
    }
    if (num_blocks == 0) continue;
    AddToChunks(num_blocks, placed.blocks[0].staging_index, limits, mini_batch);
  }
}

}  // namespace

bool ReadInPlace(Tier tier, const StepLimits& limits) {
  return tier == Tier::kDevice || limits.one_memory;
}

StepLayout MakeStepLayout(const StepPlan& plan, const SequenceTable& table,
                          const StepLimits& limits) {
  StepLayout layout;
  layout.schedule = plan.schedule;
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
    AddRecomputed(plan, members, table, limits, layout);
  }
  return layout;
}

void AddConversions(const StepPlan& plan, StepLayout& layout) {
  if (plan.conversions.empty()) return;
  struct Place {
    MiniBatchLayout* mini_batch;
    const SequenceLayout* sequence;
  };
  absl::flat_hash_map<SequenceId, Place> places;
  for (size_t i = 0; i < plan.mini_batches.size(); ++i) {
    MiniBatchLayout& mini_batch = layout.mini_batches[i];
    const std::vector<int32_t>& members = plan.mini_batches[i].sequences;
    for (size_t j = 0; j < members.size(); ++j) {
      places[plan.sequences[members[j]].sequence] = {&mini_batch,
                                                     &mini_batch.sequences[j]};
    }
  }
  for (const TableConversion& conversion : plan.conversions) {
    const Place& place = places.at(conversion.sequence);
    for (const BlockConversion& block : conversion.blocks) {
      CHECK_LT(static_cast<size_t>(block.block), place.sequence->blocks.size());
      const BlockUse& use = place.sequence->blocks[block.block];
      CHECK(use.block.kind == CacheKind::kAct);
      place.mini_batch->converted.push_back(
          {.staging_index = use.staging_index, .to = block.to});
    }
  }
}

}  // namespace hybridserve
