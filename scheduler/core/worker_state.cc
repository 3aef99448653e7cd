#include "scheduler/core/worker_state.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "scheduler/policy/kind_spreader.h"
#include "scheduler/policy/mini_batch_packer.h"

namespace hybridserve {
namespace {

// The mix is chosen anew after so many steps, or when the workload has moved by
// such a part.
constexpr int64_t kStepsWithMix = 16;
constexpr double kWorkloadShift = 0.1;

bool Differs(double a, double b) {
  return std::abs(a - b) > kWorkloadShift * std::max(a, b);
}

bool Shifted(const Workload& a, const Workload& b) {
  return Differs(static_cast<double>(a.sequences),
                 static_cast<double>(b.sequences)) ||
         Differs(a.context_tokens, b.context_tokens) ||
         Differs(a.final_tokens, b.final_tokens);
}

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Staging of a sequence whose blocks all lie on the host.
int64_t MostStagedHalfSlots(const std::vector<CacheKind>& kinds) {
  int64_t sum = 0;
  for (const CacheKind kind : kinds) {
    sum += StagedHalfSlots(BlockRef{.kind = kind, .tier = Tier::kHost});
  }
  return sum;
}

}  // namespace

WorkerState::WorkerState(WorkerId id, uint64_t term, WorkerInfo info,
                         const ModelConfig& config,
                         std::unique_ptr<WorkerLink> link,
                         const WorkerLimits& limits, const Policy& policy)
    : id_(id),
      term_(term),
      info_(std::move(info)),
      config_(config),
      link_(std::move(link)),
      limits_(limits),
      policy_(policy),
      costs_(CostModel::Of(info_, config)),
      tracker_(costs_.profile),
      // So that every running sequence has a row and a token in every step.
      max_running_(std::min({limits.max_running, int64_t{info_.max_step_tokens},
                             int64_t{info_.max_logit_rows}})),
      slots_(policy.UsablePools(info_)) {
  max_request_tokens_ = FindMaxRequestTokens();
}

std::vector<CacheKind> WorkerState::KindsFor(int64_t positions) const {
  const int64_t num_blocks = CeilDiv(positions, info_.numerics.block_tokens);
  const int64_t num_act = slots_.num_blocks(CacheKind::kAct);
  const int64_t pooled = num_act + slots_.num_blocks(CacheKind::kKv);
  const int64_t recomputed = NumRecomputed(num_blocks);
  const int64_t kept = num_blocks - recomputed;
  std::vector<CacheKind> steered =
      SpreadKinds(SteeredActBlocks(mix_.act_ratio, num_act, pooled, kept), kept,
                  recomputed);
  if (FitsIdle(steered)) return steered;
  std::vector<CacheKind> mixed = SpreadWithPrefix(mix_.act_ratio, num_blocks);
  if (FitsIdle(mixed)) return mixed;
  return SpreadWithPrefix(policy_.MaxActRatio(costs_), num_blocks);
}

int64_t WorkerState::NumRecomputed(int64_t num_blocks) const {
  return RecomputedBlocks(costs_.shape, policy_.recompute_ratio(), num_blocks);
}

std::vector<CacheKind> WorkerState::SpreadWithPrefix(double act_ratio,
                                                     int64_t num_blocks) const {
  const int64_t recomputed = NumRecomputed(num_blocks);
  const int64_t kept = num_blocks - recomputed;
  return SpreadKinds(std::llround(act_ratio * static_cast<double>(kept)), kept,
                     recomputed);
}

bool WorkerState::CanRecompute(const std::vector<CacheKind>& kinds) const {
  if (policy_.recompute_ratio() == 0) return true;
  const auto is_tokens = [](CacheKind kind) {
    return kind == CacheKind::kTokens;
  };
  int64_t blocks = std::count_if(kinds.begin(), kinds.end(), is_tokens);
  for (const auto& [key, sequence] : running_) {
    blocks +=
        std::count_if(sequence.kinds.begin(), sequence.kinds.end(), is_tokens);
  }
  return blocks * info_.numerics.block_tokens <= info_.max_recomputed_tokens;
}

DeviceShares WorkerState::SharesOfDevice() const {
  const BlockCounts& blocks = mix_.chosen.blocks;
  // A half-slot may be left over where KV takes two.
  if (!mix_.bounds_device &&
      2 * blocks.kv_device + blocks.act_device + 1 <
          static_cast<double>(slots_.capacity(Tier::kDevice))) {
    return {};
  }
  return {.kv_blocks = std::llround(blocks.kv_device),
          .act_blocks = std::llround(blocks.act_device)};
}

bool WorkerState::FitsIdle(const std::vector<CacheKind>& kinds) const {
  return slots_.FitsAlone(kinds) &&
         MostStagedHalfSlots(kinds) <= info_.staging_half_slots;
}

// One block more makes no kind fewer, so what fits is an interval.
int64_t WorkerState::FindMaxRequestTokens() const {
  const double act_ratio = policy_.MaxActRatio(costs_);
  const int64_t block_tokens = info_.numerics.block_tokens;
  int64_t fits = 0;  // Blocks.
  int64_t beyond = CeilDiv(config_.max_positions, block_tokens) + 1;
  while (beyond - fits > 1) {
    const int64_t middle = fits + (beyond - fits) / 2;
    (FitsIdle(SpreadWithPrefix(act_ratio, middle)) ? fits : beyond) = middle;
  }
  return std::min(fits * block_tokens, config_.max_positions);
}

bool WorkerState::CanEverTake(const LiveRequest& live) const {
  return !draining_ && live.model == info_.model_name &&
         live.max_positions() <= max_request_tokens_ &&
         (!live.numerics.has_value() || *live.numerics == info_.numerics);
}

Workload WorkerState::WorkloadWith(const LiveRequest* joining) const {
  double context = context_tokens_;
  int64_t final_tokens = final_tokens_;
  int64_t sequences = num_running();
  if (joining != nullptr) {
    context += joining->mean_context();
    final_tokens += joining->max_positions();
    ++sequences;
  }
  if (sequences == 0) return {};
  // Those that wait are as far on average as these: their prompts are not told.
  const double progress = context / static_cast<double>(final_tokens);
  const int64_t more = std::min(waiting_.sequences, max_running_ - sequences);
  if (more > 0) {
    const double waiting = static_cast<double>(waiting_.final_tokens) /
                           static_cast<double>(waiting_.sequences) *
                           static_cast<double>(more);
    context += waiting * progress;
    final_tokens += std::llround(waiting);
    sequences += more;
  }
  const auto count = static_cast<double>(sequences);
  return {.sequences = sequences,
          .context_tokens = context / count,
          .final_tokens = static_cast<double>(final_tokens) / count,
          .max_step_time = limits_.max_step_time};
}

void WorkerState::UpdateMix(const Workload& workload) {
  if (workload.sequences == 0 ||
      (steps_with_mix_ < kStepsWithMix && !Shifted(workload, mix_workload_))) {
    return;
  }
  costs_.profile = tracker_.profile();
  const double act_ratio = mix_.act_ratio;
  mix_ = policy_.ChooseMix(costs_,
                           {.device_half_slots = slots_.capacity(Tier::kDevice),
                            .host_half_slots = slots_.capacity(Tier::kHost)},
                           workload);
  mix_workload_ = workload;
  steps_with_mix_ = 0;
  if (mix_.act_ratio != act_ratio) SpreadAnew();
}

StepTime WorkerState::PredictNow() const {
  StepLoad load;
  BlockCounts blocks;
  for (const auto& [key, sequence] : running_) {
    load.sequences += 1;
    load.new_rows += 1;
    load.context_tokens += static_cast<double>(sequence.num_scheduled);
    blocks += sequence.cached;
  }
  // What is recomputed is whole blocks.
  if (blocks.total() > 0) {
    const double rows = info_.numerics.block_tokens;
    load.fill = std::max(0.0, load.context_tokens - blocks.tokens * rows) /
                (blocks.total() * rows);
  }
  return policy_.Predict(costs_, load, blocks);
}

StepSnapshot WorkerState::MakeStepSnapshot() const {
  StepSnapshot snapshot;
  snapshot.limits = {.max_step_tokens = info_.max_step_tokens,
                     .max_logit_rows = info_.max_logit_rows,
                     .prefill_chunk_tokens = limits_.prefill_chunk_tokens,
                     .staging_half_slots = info_.staging_half_slots,
                     .block_tokens = info_.numerics.block_tokens,
                     .max_step_time = limits_.max_step_time};
  snapshot.costs = SequenceCosts::Of(costs_);
  snapshot.model = &costs_;
  snapshot.waiting = waiting_.sequences;
  snapshot.sequences.reserve(running_.size());
  for (const auto& [id, sequence] : running_) {
    snapshot.sequences.push_back(sequence.View(info_.numerics.block_tokens));
  }
  return snapshot;
}

bool WorkerState::SendPlan() {
  if (outstanding_.size() >= kMaxOutstandingPlans) return false;
  const StepSnapshot snapshot = MakeStepSnapshot();
  StepRoster roster = policy_.Plan(snapshot, mix_);
  if (roster.entries.empty() && released_.empty()) return false;

  StepPlan plan;
  plan.fence = {.term = term_, .epoch = info_.epoch, .step = next_step_++};
  for (const Released& released : released_) {
    plan.released.push_back(released.sequence);
  }
  std::vector<RunningSequence*> sequences;
  sequences.reserve(running_.size());
  for (auto& [id, sequence] : running_) sequences.push_back(&sequence);
  OutstandingPlan outstanding = {.fence = plan.fence};
  for (const RosterEntry& entry : roster.entries) {
    sequences[entry.index]->AddTo(plan, entry.num_new,
                                  info_.numerics.block_tokens);
    outstanding.sequences.push_back(ExpectedResult::Of(
        plan.sequences.back(), snapshot.sequences[entry.index].is_prefill));
  }
  const std::vector<BlockRef> left =
      AddConversions(snapshot, roster, sequences, plan);
  plan.mini_batches = std::move(roster.mini_batches);
  plan.schedule = policy_.schedule();
  VLOG(1) << "plan worker=" << id_ << " step=" << plan.fence.step
          << " sequences=" << plan.sequences.size()
          << " released=" << plan.released.size();
  outstanding_.push_back(std::move(outstanding));
  link_->Send(std::move(plan));
  // From here on only later plans can use the slots.
  room_wanted_ = false;
  slots_.Free(left);
  for (const Released& released : released_) slots_.Free(released.blocks);
  released_.clear();
  return true;
}

bool WorkerState::IsOfOthers(const StepResult& result) const {
  return result.fence.term != term_ || result.fence.epoch != info_.epoch;
}

absl::StatusOr<std::vector<SequenceResult>> WorkerState::TakeResult(
    StepResult result) {
  if (outstanding_.empty() || result.fence != outstanding_.front().fence) {
    return absl::InternalError(absl::StrCat(
        "bad step result: of step ", result.fence.step, ", not of ",
        outstanding_.empty() ? "any"
                             : absl::StrCat(outstanding_.front().fence.step)));
  }
  const StepStats stats = result.stats;
  ASSIGN_OR_RETURN(
      std::vector<SequenceResult> matched,
      MatchResult(outstanding_.front(), config_.vocab_size, std::move(result)));
  const OutstandingPlan plan = std::move(outstanding_.front());
  outstanding_.pop_front();
  for (const ExpectedResult& expected : plan.sequences) {
    RunningSequence* sequence = Find(expected.sequence);
    if (sequence == nullptr) continue;
    sequence->num_done += expected.num_new;
    if (expected.sample) --sequence->samples_in_flight;
  }
  ++totals_.steps;
  totals_.prompt_tokens += plan.num_prefill_tokens();
  totals_.stats += stats;
  tracker_.Add(stats.work);
  if (++steps_with_mix_ >= kStepsWithMix) UpdateMix(WorkloadWith(nullptr));
  return matched;
}

WorkerSnapshot WorkerState::Snapshot() const {
  std::optional<absl::Duration> predicted;
  if (!running_.empty() && !costs_.is_free()) {
    predicted = absl::Seconds(PredictNow().step());
  }
  return {.id = id_,
          .name = info_.name,
          .term = term_,
          .epoch = info_.epoch,
          .state = draining_          ? "draining"
                   : running_.empty() ? "idle"
                                      : "running",
          .device = info_.device,
          .model = info_.model_name,
          .numerics = info_.numerics,
          .profile = info_.profile,
          .tracked = tracker_.profile(),
          .running = num_running(),
          .outstanding_plans = num_outstanding(),
          .act_ratio = mix_.act_ratio,
          .mix_reason = mix_.reason,
          .predicted_step = predicted,
          .pools = slots_.Snapshot(),
          .totals = totals_};
}

void WorkerState::CheckInvariants() const {
  int64_t held = 0;
  int64_t full = 0;
  const auto half_slots_of = [](const std::vector<BlockRef>& blocks) {
    int64_t sum = 0;
    for (const BlockRef& block : blocks) sum += HalfSlotsOf(block.kind);
    return sum;
  };
  for (const auto& [key, sequence] : running_) {
    held += sequence.half_slots;
    full += sequence.full_half_slots;
    CHECK_EQ(sequence.half_slots, half_slots_of(sequence.blocks));
    CHECK_LE(sequence.blocks.size(), sequence.kinds.size());
    for (size_t i = 0; i < sequence.blocks.size(); ++i) {
      CHECK(sequence.blocks[i].kind == sequence.kinds[i]) << i;
    }
    CHECK_EQ(sequence.live.key, key);
    CHECK_EQ(sequence.live.worker->value(), id_.value());
    CHECK_EQ(keys_.at(sequence.live.sequence), key);
    CHECK_LE(sequence.num_done, sequence.num_scheduled);
    CHECK_LE(sequence.num_scheduled, sequence.live.max_positions());
  }
  CHECK_EQ(keys_.size(), running_.size());
  CHECK_EQ(full, full_half_slots_);
  for (const Released& released : released_) {
    held += half_slots_of(released.blocks);
  }
  CHECK_EQ(held + slots_.num_free(), slots_.capacity())
      << "half-slots are lost on worker " << id_;
  CHECK_LE(outstanding_.size(), kMaxOutstandingPlans);
  CHECK_LE(num_running(), max_running_);
}

}  // namespace hybridserve
