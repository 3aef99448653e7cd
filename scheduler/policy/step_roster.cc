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
  const SequenceCosts& costs = snapshot.costs;
  const BlockCounts& cached = sequence.cached;
  const auto rows = static_cast<double>(num_new);
  const double recomputed =
      cached.tokens * static_cast<double>(snapshot.limits.block_tokens);
  return {.staged_half_slots = static_cast<int64_t>(cached.staged_half_slots()),
          .rows = num_new,
          .load_seconds =
              cached.kv_host * costs.load_kv + cached.act_host * costs.load_act,
          .compute_seconds =
              cached.act() * costs.rebuild + rows * costs.row +
              rows *
                  (static_cast<double>(sequence.num_cached) + (rows + 1) / 2) *
                  costs.pair +
              recomputed * (costs.row + (recomputed + 1) / 2 * costs.pair)};
}

// Who runs, and what each takes; no mini-batches yet.
StepRoster ChooseRows(const StepSnapshot& snapshot, int64_t prefill_rows,
                      std::vector<PackItem>& items) {
  const RosterLimits& limits = snapshot.limits;
  Budget budget = {
      .rows = limits.max_step_tokens,
      .prefill_rows = std::min(limits.prefill_chunk_tokens, prefill_rows),
      .logit_rows = limits.max_logit_rows};
  StepRoster roster;
  roster.entries.reserve(snapshot.sequences.size());
  items.reserve(snapshot.sequences.size());
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
  return roster;
}

PackLimits LimitsOf(const StepSnapshot& snapshot) {
  return {.half_slots = snapshot.limits.staging_half_slots,
          .rows = snapshot.limits.max_step_tokens,
          .shared_load_seconds = snapshot.costs.weights};
}

}  // namespace

StepRoster FormRoster(const StepSnapshot& snapshot, int64_t prefill_rows) {
  std::vector<PackItem> items;
  StepRoster roster = ChooseRows(snapshot, prefill_rows, items);
  roster.mini_batches = PackMiniBatches(items, LimitsOf(snapshot));
  return roster;
}

StepRoster FormRosterInOrder(const StepSnapshot& snapshot) {
  std::vector<PackItem> items;
  StepRoster roster = ChooseRows(snapshot, INT64_MAX, items);
  roster.mini_batches = PackInOrder(items, LimitsOf(snapshot));
  return roster;
}

}  // namespace hybridserve
