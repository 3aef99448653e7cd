#include "scheduler/policy/step_roster.h"

#include <algorithm>

#include "scheduler/policy/mini_batch_packer.h"

namespace hybridserve {
namespace {

// What is left of a step's limits.
struct Budget {
  int64_t rows;
  int64_t prefill_rows;
  int64_t logit_rows;
};

// The rows that `sequence` may run now, taken from `budget`.
int64_t Take(const SequenceView& sequence, Budget& budget) {
  int64_t num_new = std::min(sequence.num_ready, budget.rows);
  if (sequence.is_prefill) num_new = std::min(num_new, budget.prefill_rows);
  const bool completes = num_new == sequence.num_ready;
  bool samples = sequence.samples && completes;
  if (samples && budget.logit_rows == 0) {
    --num_new;  // The row that samples waits.
    samples = false;
  }
  if (num_new <= 0) return 0;
  budget.rows -= num_new;
  if (sequence.is_prefill) budget.prefill_rows -= num_new;
  if (samples) --budget.logit_rows;
  return num_new;
}

// What `num_new` rows of the sequence take of a mini-batch.
PackItem ItemOf(const StepSnapshot& snapshot, const SequenceView& sequence,
                int64_t num_new) {
  const int64_t block_tokens = snapshot.limits.block_tokens;
  const SequenceCosts& costs = snapshot.costs;
  const auto rows = static_cast<double>(num_new);
  PackItem item = {
      .rows = num_new,
      .compute_seconds =
          rows * costs.row +
          rows * (static_cast<double>(sequence.num_cached) + (rows + 1) / 2) *
              costs.pair};
  const int64_t num_blocks =
      (sequence.num_cached + block_tokens - 1) / block_tokens;
  for (const BlockRef& block : sequence.blocks.subspan(0, num_blocks)) {
    item.staged_half_slots += StagedHalfSlots(block);
    const bool on_host = block.tier != Tier::kDevice;
    if (block.kind == CacheKind::kAct) {
      item.compute_seconds += costs.rebuild;
      if (on_host) item.load_seconds += costs.load_act;
    } else if (on_host) {
      item.load_seconds += costs.load_kv;
    }
  }
  return item;
}

}  // namespace

StepRoster FormRoster(const StepSnapshot& snapshot) {
  const RosterLimits& limits = snapshot.limits;
  Budget budget = {.rows = limits.max_step_tokens,
                   .prefill_rows = limits.prefill_chunk_tokens,
                   .logit_rows = limits.max_logit_rows};
  StepRoster roster;
  std::vector<PackItem> items;
  for (const bool prefill : {false, true}) {
    for (size_t i = 0; i < snapshot.sequences.size(); ++i) {
      const SequenceView& sequence = snapshot.sequences[i];
      if (sequence.is_prefill != prefill || sequence.num_ready == 0) continue;
      const int64_t num_new = Take(sequence, budget);
      if (num_new == 0) continue;
      roster.entries.push_back({.index = static_cast<int32_t>(i),
                                .num_new = static_cast<int32_t>(num_new)});
      items.push_back(ItemOf(snapshot, sequence, num_new));
    }
  }
  roster.mini_batches =
      PackMiniBatches(items, {.half_slots = limits.staging_half_slots,
                              .rows = limits.max_step_tokens,
                              .shared_load_seconds = snapshot.costs.weights});
  return roster;
}

}  // namespace hybridserve
