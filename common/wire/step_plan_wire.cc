#include "common/wire/step_plan_wire.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "common/wire/enum_wire.h"
#include "hybridserve/worker/v1/fence.pb.h"
#include "hybridserve/worker/v1/step_plan.pb.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

std::string Element(absl::string_view list, int index,
                    absl::string_view field) {
  return absl::StrCat(list, "[", index, "].", field);
}

void BlockToWire(const BlockRef& block, pb::BlockRef& wire) {
  wire.set_kind(CacheKindToWire(block.kind));
  wire.set_tier(TierToWire(block.tier));
  wire.set_first(block.first.value());
  wire.set_second(block.second.value());
}

absl::StatusOr<BlockRef> BlockFromWire(const pb::BlockRef& wire) {
  BlockRef block;
  ASSIGN_OR_RETURN(block.kind, CacheKindFromWire(wire.kind()));
  ASSIGN_OR_RETURN(block.tier, TierFromWire(wire.tier()));
  if (wire.first() < 0) {
    return InvalidFieldError("first",
                             absl::StrCat("is negative: ", wire.first()));
  }
  const bool is_kv = block.kind == CacheKind::kKv;
  if (wire.second() < 0 || (!is_kv && wire.second() != 0)) {
    return InvalidFieldError(
        "second",
        absl::StrCat("is ", wire.second(),
                     is_kv ? "" : ", not 0, in a block of one half-slot"));
  }
  if (block.kind == CacheKind::kTokens &&
      (block.tier != Tier::kHost || wire.first() != 0)) {
    return InvalidFieldError("first", "a TOKENS block is HOST's 0");
  }
  block.first = HalfSlot(wire.first());
  block.second = HalfSlot(wire.second());
  return block;
}

// `status` about a part of a message: puts the part before the field.
absl::Status In(absl::string_view part, const absl::Status& status) {
  const std::string field = FieldOf(status).value_or("");
  absl::string_view reason = status.message();
  absl::ConsumePrefix(&reason, absl::StrCat(field, ": "));
  return InvalidFieldError(absl::StrCat(part, ".", field), reason);
}

absl::Status In(absl::string_view list, int index, const absl::Status& status) {
  return In(absl::StrCat(list, "[", index, "]"), status);
}

void TableUpdateToWire(const TableUpdate& update, pb::TableUpdate& wire) {
  wire.set_sequence(update.sequence.value());
  wire.set_first_block(update.first_block);
  for (const BlockRef& block : update.blocks) {
    BlockToWire(block, *wire.add_blocks());
  }
  wire.set_table_hash(update.table_hash);
}

absl::StatusOr<TableUpdate> TableUpdateFromWire(const pb::TableUpdate& wire) {
  TableUpdate update{
      .sequence = SequenceId(wire.sequence()),
      .first_block = wire.first_block(),
      .table_hash = wire.table_hash(),
  };
  if (update.first_block < 0) {
    return InvalidFieldError("first_block", "is negative");
  }
  // Indices of blocks stay within int32_t.
  if (wire.blocks_size() >
      std::numeric_limits<int32_t>::max() - update.first_block) {
    return InvalidFieldError("first_block", "is too large");
  }
  update.blocks.reserve(wire.blocks_size());
  for (int i = 0; i < wire.blocks_size(); ++i) {
    absl::StatusOr<BlockRef> block = BlockFromWire(wire.blocks(i));
    if (!block.ok()) return In("blocks", i, block.status());
    update.blocks.push_back(*block);
  }
  return update;
}

void ConversionToWire(const TableConversion& conversion,
                      pb::TableConversion& wire) {
  wire.set_sequence(conversion.sequence.value());
  for (const BlockConversion& block : conversion.blocks) {
    pb::BlockConversion& added = *wire.add_blocks();
    added.set_block(block.block);
    BlockToWire(block.to, *added.mutable_to());
  }
  wire.set_table_hash(conversion.table_hash);
}

absl::StatusOr<TableConversion> ConversionFromWire(
    const pb::TableConversion& wire) {
  TableConversion conversion{.sequence = SequenceId(wire.sequence()),
                             .table_hash = wire.table_hash()};
  conversion.blocks.reserve(wire.blocks_size());
  for (int i = 0; i < wire.blocks_size(); ++i) {
    const pb::BlockConversion& block = wire.blocks(i);
    if (block.block() < 0) {
      return InvalidFieldError(Element("blocks", i, "block"), "is negative");
    }
    absl::StatusOr<BlockRef> to = BlockFromWire(block.to());
    if (!to.ok()) return In(absl::StrCat("blocks[", i, "].to"), to.status());
    if (to->kind != CacheKind::kKv) {
      return InvalidFieldError(Element("blocks", i, "to.kind"), "is not KV");
    }
    conversion.blocks.push_back({.block = block.block(), .to = *to});
  }
  return conversion;
}

void SamplingToWire(const SamplingParams& sampling, pb::SamplingParams& wire) {
  wire.set_temperature(sampling.temperature);
  wire.set_top_k(sampling.top_k);
  wire.set_top_p(sampling.top_p);
  wire.set_seed(sampling.seed);
  wire.set_want_log_prob(sampling.want_log_prob);
  wire.set_top_log_probs(static_cast<int32_t>(sampling.top_log_probs));
  wire.set_presence_penalty(sampling.presence_penalty);
  wire.set_frequency_penalty(sampling.frequency_penalty);
  wire.set_repetition_penalty(sampling.repetition_penalty);
  for (const LogitBias& bias : sampling.logit_bias) {
    (*wire.mutable_logit_bias())[bias.token] = bias.bias;
  }
}

absl::StatusOr<std::vector<LogitBias>> LogitBiasFromWire(
    const pb::SamplingParams& wire) {
  constexpr absl::string_view kField = "sampling.logit_bias";
  if (static_cast<int64_t>(wire.logit_bias().size()) > kMaxLogitBiases) {
    return InvalidFieldError(kField, "has too many ids");
  }
  std::vector<LogitBias> biases;
  for (const auto& [token, bias] : wire.logit_bias()) {
    if (token < 0) return InvalidFieldError(kField, "has a negative id");
    if (!(std::abs(bias) <= kMaxLogitBias)) {
      return InvalidFieldError(kField, "is not in [-100, 100]");
    }
    biases.push_back({.token = token, .bias = bias});
  }
  std::sort(biases.begin(), biases.end());
  return biases;
}

absl::Status CheckPenalties(const pb::SamplingParams& wire) {
  // Written so that NaN is out of range.
  if (!(std::abs(wire.presence_penalty()) <= kMaxPenalty)) {
    return InvalidFieldError("sampling.presence_penalty", "is not in [-2, 2]");
  }
  if (!(std::abs(wire.frequency_penalty()) <= kMaxPenalty)) {
    return InvalidFieldError("sampling.frequency_penalty", "is not in [-2, 2]");
  }
  if (!std::isfinite(wire.repetition_penalty()) ||
      wire.repetition_penalty() <= 0) {
    return InvalidFieldError("sampling.repetition_penalty",
                             "is no number above 0");
  }
  return absl::OkStatus();
}

absl::StatusOr<SamplingParams> SamplingFromWire(
    const pb::SamplingParams& wire) {
  if (!std::isfinite(wire.temperature()) || wire.temperature() < 0) {
    return InvalidFieldError("sampling.temperature", "is no number from 0 up");
  }
  if (wire.top_k() < 0) {
    return InvalidFieldError("sampling.top_k", "is negative");
  }
  if (!(wire.top_p() > 0 && wire.top_p() <= 1)) {
    return InvalidFieldError("sampling.top_p", "is not in (0, 1]");
  }
  if (wire.top_log_probs() < 0 || wire.top_log_probs() > kMaxTopLogProbs) {
    return InvalidFieldError("sampling.top_log_probs", "is not in [0, 20]");
  }
  RETURN_IF_ERROR(CheckPenalties(wire));
  ASSIGN_OR_RETURN(std::vector<LogitBias> logit_bias, LogitBiasFromWire(wire));
  return SamplingParams{
      .temperature = wire.temperature(),
      .top_k = wire.top_k(),
      .top_p = wire.top_p(),
      .seed = wire.seed(),
      .presence_penalty = wire.presence_penalty(),
      .frequency_penalty = wire.frequency_penalty(),
      .repetition_penalty = wire.repetition_penalty(),
      .logit_bias = std::move(logit_bias),
      .want_log_prob = wire.want_log_prob(),
      .top_log_probs = wire.top_log_probs(),
  };
}

void SequenceToWire(const StepSequence& sequence, pb::StepSequence& wire) {
  wire.set_sequence(sequence.sequence.value());
  wire.set_num_cached(sequence.num_cached);
  wire.set_num_new(sequence.num_new);
  wire.mutable_new_tokens()->Add(sequence.new_tokens.begin(),
                                 sequence.new_tokens.end());
  wire.set_sample(sequence.sample);
  if (sequence.sample) {
    SamplingToWire(sequence.sampling, *wire.mutable_sampling());
    wire.set_num_prompt(sequence.num_prompt);
  }
  wire.mutable_score_targets()->Add(sequence.score_targets.begin(),
                                    sequence.score_targets.end());
}

absl::Status CheckLengths(const pb::StepSequence& wire) {
  if (wire.num_cached() < 0) {
    return InvalidFieldError("num_cached", "is negative");
  }
  if (wire.num_new() < 1 ||
      wire.num_new() >
          std::numeric_limits<int32_t>::max() - wire.num_cached()) {
    return InvalidFieldError("num_new",
                             absl::StrCat("is out of range: ", wire.num_new()));
  }
  const bool last_sampled = wire.new_tokens().empty() && wire.num_new() == 1;
  if (!last_sampled && wire.new_tokens_size() != wire.num_new()) {
    return InvalidFieldError(
        "new_tokens", absl::StrCat("has ", wire.new_tokens_size(),
                                   " ids for num_new = ", wire.num_new()));
  }
  if (!wire.score_targets().empty() &&
      wire.score_targets_size() != wire.num_new()) {
    return InvalidFieldError(
        "score_targets", absl::StrCat("has ", wire.score_targets_size(),
                                      " ids for num_new = ", wire.num_new()));
  }
  return absl::OkStatus();
}

absl::StatusOr<StepSequence> SequenceFromWire(const pb::StepSequence& wire) {
  RETURN_IF_ERROR(CheckLengths(wire));
  for (const int32_t token : wire.new_tokens()) {
    if (token < 0) return InvalidFieldError("new_tokens", "has a negative id");
  }
  for (const int32_t target : wire.score_targets()) {
    if (target < -1) return InvalidFieldError("score_targets", "is below -1");
  }
  StepSequence sequence{
      .sequence = SequenceId(wire.sequence()),
      .num_cached = wire.num_cached(),
      .new_tokens = {wire.new_tokens().begin(), wire.new_tokens().end()},
      .num_new = wire.num_new(),
      .sample = wire.sample(),
      .score_targets = {wire.score_targets().begin(),
                        wire.score_targets().end()},
  };
  if (wire.sample()) {
    ASSIGN_OR_RETURN(sequence.sampling, SamplingFromWire(wire.sampling()));
    if (wire.num_prompt() < 0 ||
        wire.num_prompt() > wire.num_cached() + wire.num_new()) {
      return InvalidFieldError(
          "num_prompt", absl::StrCat("is out of range: ", wire.num_prompt()));
    }
    sequence.num_prompt = wire.num_prompt();
  }
  return sequence;
}

absl::StatusOr<std::vector<MiniBatch>> MiniBatchesFromWire(
    const pb::StepPlan& wire) {
  std::vector<MiniBatch> mini_batches;
  std::vector<bool> seen(wire.sequences_size());
  int count = 0;
  for (int i = 0; i < wire.mini_batches_size(); ++i) {
    const auto& indices = wire.mini_batches(i).sequences();
    for (const int32_t index : indices) {
      if (index < 0 || index >= wire.sequences_size() || seen[index]) {
        return InvalidFieldError(
            Element("mini_batches", i, "sequences"),
            absl::StrCat(index, " is out of range or there twice"));
      }
      seen[index] = true;
      ++count;
    }
    mini_batches.push_back({.sequences = {indices.begin(), indices.end()}});
  }
  if (count != wire.sequences_size()) {
    return InvalidFieldError("mini_batches", "leave sequences out");
  }
  return mini_batches;
}

}  // namespace

void FenceToWire(const Fence& fence, pb::Fence& wire) {
  wire.set_term(fence.term);
  wire.set_epoch(fence.epoch);
  wire.set_step(fence.step);
}

Fence FenceFromWire(const pb::Fence& wire) {
  return {.term = wire.term(), .epoch = wire.epoch(), .step = wire.step()};
}

void StepPlanToWire(const StepPlan& plan, pb::StepPlan& wire) {
  for (const SequenceId sequence : plan.released) {
    wire.add_released(sequence.value());
  }
  for (const TableUpdate& update : plan.table_updates) {
    TableUpdateToWire(update, *wire.add_table_updates());
  }
  for (const StepSequence& sequence : plan.sequences) {
    SequenceToWire(sequence, *wire.add_sequences());
  }
  for (const MiniBatch& mini_batch : plan.mini_batches) {
    wire.add_mini_batches()->mutable_sequences()->Add(
        mini_batch.sequences.begin(), mini_batch.sequences.end());
  }
  for (const TableConversion& conversion : plan.conversions) {
    ConversionToWire(conversion, *wire.add_conversions());
  }
  wire.set_schedule(ScheduleToWire(plan.schedule));
}

absl::StatusOr<StepPlan> StepPlanFromWire(const Fence& fence,
                                          const pb::StepPlan& wire) {
  StepPlan plan{.fence = fence};
  for (const uint64_t sequence : wire.released()) {
    plan.released.push_back(SequenceId(sequence));
  }
  for (int i = 0; i < wire.table_updates_size(); ++i) {
    absl::StatusOr<TableUpdate> update =
        TableUpdateFromWire(wire.table_updates(i));
    if (!update.ok()) return In("table_updates", i, update.status());
    plan.table_updates.push_back(*std::move(update));
  }
  for (int i = 0; i < wire.sequences_size(); ++i) {
    absl::StatusOr<StepSequence> sequence = SequenceFromWire(wire.sequences(i));
    if (!sequence.ok()) return In("sequences", i, sequence.status());
    plan.sequences.push_back(*std::move(sequence));
  }
  ASSIGN_OR_RETURN(plan.mini_batches, MiniBatchesFromWire(wire));
  for (int i = 0; i < wire.conversions_size(); ++i) {
    absl::StatusOr<TableConversion> conversion =
        ConversionFromWire(wire.conversions(i));
    if (!conversion.ok()) return In("conversions", i, conversion.status());
    plan.conversions.push_back(*std::move(conversion));
  }
  ASSIGN_OR_RETURN(plan.schedule, ScheduleFromWire(wire.schedule()));
  return plan;
}

}  // namespace hybridserve
