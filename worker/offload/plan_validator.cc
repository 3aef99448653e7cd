#include "worker/offload/plan_validator.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

template <typename... Parts>
absl::Status Refuse(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

template <typename... Parts>
absl::Status RefuseSequence(const StepSequence& sequence,
                            const Parts&... parts) {
  return Refuse("sequences: ", parts..., ", of sequence ",
                sequence.sequence.value());
}

// Blocks that a mini-batch stages count as a scheduler counts them, whether or
// not this worker reads some in place: device KV alone is free.
int64_t HalfSlotsToStage(const StepSequence& sequence,
                         const SequenceState& state, int32_t block_tokens) {
  int64_t half_slots = 0;
  for (int32_t from = 0; from < sequence.num_cached; from += block_tokens) {
    const BlockRef& block = state.blocks[from / block_tokens];
    if (block.kind == CacheKind::kAct) {
      half_slots += 3;
    } else if (block.tier != Tier::kDevice) {  // TOKENS, too.
      half_slots += 2;
    }
  }
  return half_slots;
}

// Rows of a sequence that run again, whole blocks; refused if an id is missing.
absl::StatusOr<int64_t> RecomputedRows(const StepSequence& sequence,
                                       const SequenceTable& table,
                                       int32_t block_tokens) {
  const SequenceState& state = *table.Find(sequence.sequence);
  const absl::Span<const int32_t> tokens = table.Tokens(sequence.sequence);
  const int32_t positions =
      std::min(sequence.num_cached, state.num_token_positions(block_tokens));
  for (int32_t i = 0; i < positions; ++i) {
    if (static_cast<size_t>(i) >= tokens.size() || tokens[i] < 0) {
      return RefuseSequence(sequence, "no token to recompute position ", i);
    }
  }
  return int64_t{positions + block_tokens - 1} / block_tokens * block_tokens;
}

absl::Status CheckSampling(const StepSequence& sequence, int64_t vocab_size) {
  const SamplingParams& sampling = sequence.sampling;
  if (!std::isfinite(sampling.temperature) || sampling.temperature < 0) {
    return RefuseSequence(sequence, "temperature ", sampling.temperature);
  }
  if (sampling.top_k < 0) {
    return RefuseSequence(sequence, "top_k ", sampling.top_k);
  }
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) {
    return RefuseSequence(sequence, "top_p ", sampling.top_p);
  }
  for (const double penalty :
       {sampling.presence_penalty, sampling.frequency_penalty}) {
    if (!(std::abs(penalty) <= kMaxPenalty)) {
      return RefuseSequence(sequence, "penalty ", penalty);
    }
  }
  if (!std::isfinite(sampling.repetition_penalty) ||
      sampling.repetition_penalty <= 0) {
    return RefuseSequence(sequence, "repetition_penalty ",
                          sampling.repetition_penalty);
  }
  if (static_cast<int64_t>(sampling.logit_bias.size()) > kMaxLogitBiases) {
    return RefuseSequence(sequence, sampling.logit_bias.size(), " logit_bias");
  }
  int32_t lowest = 0;
  for (const LogitBias& bias : sampling.logit_bias) {
    if (bias.token < lowest || bias.token >= vocab_size) {
      return RefuseSequence(sequence, "logit_bias of id ", bias.token);
    }
    if (!(std::abs(bias.bias) <= kMaxLogitBias)) {
      return RefuseSequence(sequence, "logit_bias ", bias.bias);
    }
    lowest = bias.token + 1;
  }
  if (sequence.sample &&
      (sequence.num_prompt < 0 ||
       sequence.num_prompt > sequence.num_cached + sequence.num_new)) {
    return RefuseSequence(sequence, "num_prompt ", sequence.num_prompt);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StepLayout> PlanValidator::Accept(const StepPlan& plan) {
  RETURN_IF_ERROR(CheckCounts(plan));
  RETURN_IF_ERROR(CheckMiniBatches(plan));
  RETURN_IF_ERROR(table_.Apply(plan));
  absl::StatusOr<StepLayout> layout = AcceptAfterUpdates(plan);
  if (layout.ok()) {
    table_.NoteTokens(plan);
  } else {
    table_.Rollback();
  }
  return layout;
}

absl::Status PlanValidator::CheckCounts(const StepPlan& plan) const {
  if (plan.schedule != StepSchedule::kOverlapped &&
      plan.schedule != StepSchedule::kZigZag) {
    return Refuse("schedule: none has the number ",
                  static_cast<int>(plan.schedule));
  }
  absl::flat_hash_set<SequenceId> seen;
  int64_t rows = 0;
  int64_t sampled = 0;
  for (const StepSequence& sequence : plan.sequences) {
    if (!seen.insert(sequence.sequence).second) {
      return Refuse("sequences: sequence ", sequence.sequence.value(),
                    " appears twice");
    }
    RETURN_IF_ERROR(CheckSequence(sequence));
    rows += sequence.num_new;
    sampled += sequence.sample ? 1 : 0;
  }
  if (rows > limits_.max_step_tokens) {
    return Refuse("sequences: ", rows, " new positions, more than the ",
                  limits_.max_step_tokens, " of one step");
  }
  if (sampled > limits_.max_logit_rows) {
    return Refuse("sequences: ", sampled, " of them sample, more than ",
                  limits_.max_logit_rows);
  }
  return absl::OkStatus();
}

absl::Status PlanValidator::CheckSequence(const StepSequence& sequence) const {
  if (sequence.num_new < 1) {
    return RefuseSequence(sequence, "num_new ", sequence.num_new);
  }
  if (sequence.num_cached < 0 ||
      int64_t{sequence.num_cached} + sequence.num_new > limits_.max_positions) {
    return RefuseSequence(sequence, "positions [", sequence.num_cached, ", +",
                          sequence.num_new, ") of at most ",
                          limits_.max_positions);
  }
  const size_t num_new = static_cast<size_t>(sequence.num_new);
  if (sequence.new_tokens.size() != num_new &&
      !(sequence.new_tokens.empty() && num_new == 1)) {
    return RefuseSequence(sequence, sequence.new_tokens.size(),
                          " new_tokens for num_new ", num_new);
  }
  for (const int32_t token : sequence.new_tokens) {
    if (token < 0 || token >= limits_.vocab_size) {
      return RefuseSequence(sequence, "new_tokens has id ", token);
    }
  }
  if (!sequence.score_targets.empty() &&
      sequence.score_targets.size() != num_new) {
    return RefuseSequence(sequence, sequence.score_targets.size(),
                          " score_targets for num_new ", num_new);
  }
  for (const int32_t target : sequence.score_targets) {
    if (target < -1 || target >= limits_.vocab_size) {
      return RefuseSequence(sequence, "score_targets has id ", target);
    }
  }
  return CheckSampling(sequence, limits_.vocab_size);
}

absl::Status PlanValidator::CheckMiniBatches(const StepPlan& plan) const {
  std::vector<bool> placed(plan.sequences.size(), false);
  size_t num_placed = 0;
  for (const MiniBatch& mini_batch : plan.mini_batches) {
    if (mini_batch.sequences.empty()) {
      return Refuse("mini_batches: one is empty");
    }
    for (const int32_t index : mini_batch.sequences) {
      if (index < 0 || static_cast<size_t>(index) >= placed.size()) {
        return Refuse("mini_batches: index ", index, " of ", placed.size(),
                      " sequences");
      }
      if (placed[index]) {
        return Refuse("mini_batches: index ", index, " appears twice");
      }
      placed[index] = true;
      ++num_placed;
    }
  }
  if (num_placed != placed.size()) {
    return Refuse("mini_batches: ", num_placed, " of ", placed.size(),
                  " sequences are in one");
  }
  return absl::OkStatus();
}

absl::StatusOr<StepLayout> PlanValidator::AcceptAfterUpdates(
    const StepPlan& plan) {
  for (const StepSequence& sequence : plan.sequences) {
    RETURN_IF_ERROR(AcceptSequence(sequence));
  }
  int64_t recomputed = 0;
  for (const MiniBatch& mini_batch : plan.mini_batches) {
    int64_t half_slots = 0;
    for (const int32_t index : mini_batch.sequences) {
      const StepSequence& sequence = plan.sequences[index];
      const SequenceState& state = *table_.Find(sequence.sequence);
      half_slots += HalfSlotsToStage(sequence, state, limits_.block_tokens);
      ASSIGN_OR_RETURN(const int64_t rows,
                       RecomputedRows(sequence, table_, limits_.block_tokens));
      recomputed += rows;
    }
    if (half_slots > limits_.staging_half_slots) {
      return Refuse("mini_batches: one stages ", half_slots,
                    " half-slots, more than ", limits_.staging_half_slots);
    }
  }
  if (recomputed > limits_.max_recomputed_rows) {
    return Refuse("sequences: ", recomputed,
                  " rows to recompute, more than the ",
                  limits_.max_recomputed_rows, " of one step");
  }
  StepLayout layout = MakeStepLayout(plan, table_, limits_);
  RETURN_IF_ERROR(table_.Convert(plan));
  AddConversions(plan, layout);
  return layout;
}

absl::Status PlanValidator::AcceptSequence(const StepSequence& sequence) {
  SequenceState* state = table_.FindForUpdate(sequence.sequence);
  if (state == nullptr) return RefuseSequence(sequence, "no block table");
  const int64_t end = int64_t{sequence.num_cached} + sequence.num_new;
  const int64_t covered =
      static_cast<int64_t>(state->blocks.size()) * limits_.block_tokens;
  if (end > covered) {
    return RefuseSequence(sequence, "positions up to ", end, " but blocks for ",
                          covered);
  }
  if (sequence.num_cached > state->num_written) {
    return RefuseSequence(sequence, "num_cached ", sequence.num_cached,
                          " but only ", state->num_written,
                          " positions were written");
  }
  if (sequence.new_tokens.empty() &&
      !(state->sampled && sequence.num_cached == state->num_written)) {
    return RefuseSequence(sequence,
                          "no new_tokens, but its last step sampled none");
  }
  state->num_written = static_cast<int32_t>(end);
  state->sampled = sequence.sample;
  return absl::OkStatus();
}

}  // namespace hybridserve
