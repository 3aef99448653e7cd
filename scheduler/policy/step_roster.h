#ifndef HYBRIDSERVE_SCHEDULER_POLICY_STEP_ROSTER_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_STEP_ROSTER_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "common/step_plan.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// What bounds one step of one worker.
struct RosterLimits {
  int64_t max_step_tokens = 0;       // Rows, all sequences.
  int64_t max_logit_rows = 0;        // Sequences that sample.
  int64_t prefill_chunk_tokens = 0;  // Prompt rows, all sequences.
  int64_t staging_half_slots = 0;    // A mini-batch, one layer.
  int32_t block_tokens = 16;
  absl::Duration max_step_time = absl::InfiniteDuration();  // Predicted.
};

// A running sequence as the step sees it.
struct SequenceView {
  int64_t num_cached = 0;  // Positions run, those in flight included.
  int64_t num_ready = 0;   // Rows that could run next; 0: waits for results.
  // The rows belong to the prompt (or its replay); else to one sampled token.
  bool is_prefill = false;
  bool samples = false;  // Running all ready rows gives a token.
  BlockCounts cached;    // The blocks of the num_cached positions, whole.
};

// All sequences running on a worker, oldest first.
struct StepSnapshot {
  RosterLimits limits;
  SequenceCosts costs;               // What mini-batches are evened out by.
  const CostModel* model = nullptr;  // Outlives this. Null: nothing is known.
  int64_t waiting = 0;               // Requests that wait for a place.
  std::vector<SequenceView> sequences;
};

// The rows that one sequence runs in a step.
struct RosterEntry {
  int32_t index = 0;  // Into StepSnapshot::sequences.
  int32_t num_new = 0;
};

// Who runs in a step, and with whom.
struct StepRoster {
  std::vector<RosterEntry> entries;
  std::vector<MiniBatch> mini_batches;  // Indices into `entries`.
};

// Continuous batching with chunked prefill: first every decoding sequence, one
// row each; then prompts, oldest first, in what max_step_tokens,
// prefill_chunk_tokens and `prefill_rows`, > 0, leave. With no more sequences
// than max_step_tokens and max_logit_rows, every decoding sequence runs in
// every step and the oldest prompt always moves. A sequence stages the blocks
// of its cached positions; mini-batches are packed so that link and compute are
// even in each.
StepRoster FormRoster(const StepSnapshot& snapshot,
                      int64_t prefill_rows = INT64_MAX);

// The same rows, but mini-batches in the order of sequences.
StepRoster FormRosterInOrder(const StepSnapshot& snapshot);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_STEP_ROSTER_H_
