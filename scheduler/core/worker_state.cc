#include "scheduler/core/worker_state.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "scheduler/policy/kind_spreader.h"
#include "scheduler/policy/mini_batch_packer.h"

namespace hybridserve {
namespace {

constexpr size_t kMaxOutstandingPlans = 2;

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Staging of a sequence whose blocks all lie on the host.
int64_t MostStagedHalfSlots(const std::vector<CacheKind>& kinds) {
  int64_t sum = 0;
  for (const CacheKind kind : kinds) {
    sum += StagedHalfSlots(BlockRef{.kind = kind, .tier = Tier::kHost});
  }
  return sum;
}

absl::Status BadResult(SequenceId sequence, absl::string_view what) {
  return absl::InternalError(
      absl::StrCat("bad step result: sequence ", sequence.value(), " ", what));
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
      costs_(CostInputs::Of(info_, config)),
      // So that every running sequence has a row and a token in every step.
      max_running_(std::min({limits.max_running, int64_t{info_.max_step_tokens},
                             int64_t{info_.max_logit_rows}})),
      slots_(info_.pools) {
  max_request_tokens_ = FindMaxRequestTokens();
}

std::vector<CacheKind> WorkerState::KindsFor(int64_t positions,
                                             double act_ratio) const {
  return SpreadKinds(act_ratio,
                     CeilDiv(positions, info_.numerics.block_tokens));
}

bool WorkerState::FitsIdle(const std::vector<CacheKind>& kinds) const {
  return slots_.FitsEmpty(kinds) &&
         MostStagedHalfSlots(kinds) <= info_.staging_half_slots;
}

// The kinds of n blocks begin those of n + 1, so what fits is an interval.
int64_t WorkerState::FindMaxRequestTokens() const {
  const double act_ratio = policy_.MaxActRatio(costs_);
  const int64_t block_tokens = info_.numerics.block_tokens;
  int64_t fits = 0;  // Blocks.
  int64_t beyond = CeilDiv(config_.max_positions, block_tokens) + 1;
  while (beyond - fits > 1) {
    const int64_t middle = fits + (beyond - fits) / 2;
    (FitsIdle(SpreadKinds(act_ratio, middle)) ? fits : beyond) = middle;
  }
  return std::min(fits * block_tokens, config_.max_positions);
}

bool WorkerState::CanEverTake(const LiveRequest& live) const {
  return live.model == info_.model_name &&
         live.max_positions() <= max_request_tokens_ &&
         (!live.numerics.has_value() || *live.numerics == info_.numerics);
}

bool WorkerState::Admit(SequenceId sequence, LiveRequest& live,
                        const Workload& waiting) {
  CHECK(CanEverTake(live)) << "request " << live.key;
  if (num_running() >= max_running_) return false;
  const double here = static_cast<double>(num_running() + 1);
  const double joining = std::min(waiting.sequences, max_running_ - here);
  Workload workload = {.context_tokens = context_tokens_ + live.mean_context(),
                       .sequences = here};
  if (joining > 0) {
    workload.context_tokens +=
        waiting.context_tokens / waiting.sequences * joining;
    workload.sequences += joining;
  }
  const Capacities capacities = {
      .device_half_slots = slots_.capacity(Tier::kDevice),
      .host_half_slots = slots_.capacity(Tier::kHost),
      .block_tokens = info_.numerics.block_tokens};
  CacheMix mix = policy_.ChooseMix(costs_, capacities, workload);
  std::vector<CacheKind> kinds = KindsFor(live.max_positions(), mix.act_ratio);
  if (!FitsIdle(kinds)) {
    mix = {.act_ratio = policy_.MaxActRatio(costs_),
           .reason = "a request fits the pool only with more ACT"};
    kinds = KindsFor(live.max_positions(), mix.act_ratio);
  }
  auto blocks = slots_.Allocate(kinds);
  if (!blocks.ok()) return false;

  mix_ = std::move(mix);
  running_.emplace(
      sequence, RunningSequence{.live = live,
                                .blocks = *std::move(blocks),
                                .prefill_positions =
                                    static_cast<int64_t>(live.tokens.size())});
  context_tokens_ += live.mean_context();
  live.worker = id_;
  live.sequence = sequence;
  return true;
}

void WorkerState::Release(SequenceId id) {
  const auto it = running_.find(id);
  CHECK(it != running_.end()) << "sequence " << id << " does not run here";
  RunningSequence& sequence = it->second;
  context_tokens_ -= sequence.live.mean_context();
  if (sequence.num_sent_blocks == 0) {
    slots_.Free(sequence.blocks);  // The worker never heard of it.
  } else {
    released_.push_back({id, std::move(sequence.blocks)});
  }
  running_.erase(it);
  if (running_.empty()) context_tokens_ = 0;  // No rounding error is kept.
}

RunningSequence* WorkerState::Find(SequenceId sequence) {
  const auto it = running_.find(sequence);
  return it == running_.end() ? nullptr : &it->second;
}

StepSnapshot WorkerState::MakeStepSnapshot() const {
  StepSnapshot snapshot;
  snapshot.limits = {.max_step_tokens = info_.max_step_tokens,
                     .max_logit_rows = info_.max_logit_rows,
                     .prefill_chunk_tokens = limits_.prefill_chunk_tokens,
                     .staging_half_slots = info_.staging_half_slots,
                     .block_tokens = info_.numerics.block_tokens};
  snapshot.sequences.reserve(running_.size());
  for (const auto& [id, sequence] : running_) {
    snapshot.sequences.push_back(sequence.View());
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
  OutstandingPlan outstanding = {.step = plan.fence.step};
  for (const RosterEntry& entry : roster.entries) {
    sequences[entry.index]->AddTo(plan, entry.num_new,
                                  info_.numerics.block_tokens);
    const StepSequence& step = plan.sequences.back();
    outstanding.sequences.push_back(
        {.sequence = step.sequence,
         .num_new = step.num_new,
         .is_prefill = snapshot.sequences[entry.index].is_prefill,
         .sample = step.sample,
         .num_scores = static_cast<int64_t>(step.score_targets.size()) -
                       std::count(step.score_targets.begin(),
                                  step.score_targets.end(), -1)});
  }
  plan.mini_batches = std::move(roster.mini_batches);
  VLOG(1) << "plan worker=" << id_ << " step=" << plan.fence.step
          << " sequences=" << plan.sequences.size()
          << " released=" << plan.released.size();
  outstanding_.push_back(std::move(outstanding));
  link_->Send(std::move(plan));
  // From here on only later plans can use the slots.
  for (const Released& released : released_) slots_.Free(released.blocks);
  released_.clear();
  return true;
}

bool WorkerState::IsStale(const StepResult& result) const {
  return outstanding_.empty() ||
         result.fence != Fence{.term = term_,
                               .epoch = info_.epoch,
                               .step = outstanding_.front().step};
}

absl::StatusOr<std::vector<SequenceResult>> WorkerState::MatchResult(
    StepResult result) const {
  if (!result.status.ok()) {
    return absl::Status(result.status.code(),
                        absl::StrCat("step ", result.fence.step,
                                     " failed: ", result.status.message()));
  }
  absl::flat_hash_map<SequenceId, SequenceResult*> results;
  for (SequenceResult& sequence : result.sequences) {
    if (!results.emplace(sequence.sequence, &sequence).second) {
      return BadResult(sequence.sequence, "is there twice");
    }
  }
  std::vector<SequenceResult> matched;
  for (const Expected& expected : outstanding_.front().sequences) {
    SequenceResult got = {.sequence = expected.sequence};
    const auto it = results.find(expected.sequence);
    if (it != results.end()) {
      got = std::move(*it->second);
      results.erase(it);
    }
    if (expected.sample ? got.token < 0 || got.token >= config_.vocab_size
                        : got.token != -1) {
      return BadResult(expected.sequence,
                       absl::StrCat("has token ", got.token));
    }
    const auto num_scores = static_cast<int64_t>(got.score_log_probs.size());
    if (num_scores != expected.num_scores) {
      return BadResult(expected.sequence,
                       absl::StrCat("has ", num_scores, " scores, not ",
                                    expected.num_scores));
    }
    matched.push_back(std::move(got));
  }
  if (!results.empty()) {
    return BadResult(results.begin()->first, "was not in the plan");
  }
  return matched;
}

absl::StatusOr<std::vector<SequenceResult>> WorkerState::TakeResult(
    StepResult result) {
  CHECK(!IsStale(result)) << "step " << result.fence.step;
  const StepStats stats = result.stats;
  ASSIGN_OR_RETURN(std::vector<SequenceResult> matched,
                   MatchResult(std::move(result)));
  const OutstandingPlan plan = std::move(outstanding_.front());
  outstanding_.pop_front();
  for (const Expected& expected : plan.sequences) {
    RunningSequence* sequence = Find(expected.sequence);
    if (sequence == nullptr) continue;
    sequence->num_done += expected.num_new;
    if (expected.sample) --sequence->samples_in_flight;
  }
  CountStep(plan, stats);
  return matched;
}

void WorkerState::CountStep(const OutstandingPlan& plan,
                            const StepStats& stats) {
  ++totals_.steps;
  for (const Expected& expected : plan.sequences) {
    if (expected.is_prefill) totals_.prompt_tokens += expected.num_new;
  }
  StepStats& sum = totals_.stats;
  sum.wall += stats.wall;
  sum.link_busy += stats.link_busy;
  sum.copy_out_busy += stats.copy_out_busy;
  sum.compute_busy += stats.compute_busy;
  sum.weight_bytes += stats.weight_bytes;
  sum.kv_bytes += stats.kv_bytes;
  sum.act_bytes += stats.act_bytes;
  sum.other_in_bytes += stats.other_in_bytes;
  sum.write_back_bytes += stats.write_back_bytes;
  sum.rebuilt_tokens += stats.rebuilt_tokens;
  sum.mini_batches += stats.mini_batches;
  for (const WorkKind kind : kAllWorkKinds) sum.work[kind] += stats.work[kind];
}

WorkerSnapshot WorkerState::Snapshot() const {
  return {.id = id_,
          .name = info_.name,
          .term = term_,
          .epoch = info_.epoch,
          .state = running_.empty() ? "idle" : "running",
          .device = info_.device,
          .model = info_.model_name,
          .numerics = info_.numerics,
          .profile = info_.profile,
          .running = num_running(),
          .outstanding_plans = static_cast<int64_t>(outstanding_.size()),
          .act_ratio = mix_.act_ratio,
          .mix_reason = mix_.reason,
          .pools = slots_.Snapshot(),
          .totals = totals_};
}

void WorkerState::CheckInvariants() const {
  int64_t held = 0;
  const auto hold = [&held](const std::vector<BlockRef>& blocks) {
    for (const BlockRef& block : blocks) held += HalfSlotsOf(block.kind);
  };
  for (const auto& [id, sequence] : running_) {
    hold(sequence.blocks);
    CHECK_EQ(sequence.live.worker->value(), id_.value());
    CHECK_LE(sequence.num_done, sequence.num_scheduled);
    CHECK_LE(sequence.num_scheduled, sequence.live.max_positions());
  }
  for (const Released& released : released_) hold(released.blocks);
  CHECK_EQ(held + slots_.num_free(),
           slots_.capacity(Tier::kDevice) + slots_.capacity(Tier::kHost))
      << "half-slots are lost on worker " << id_;
  CHECK_LE(outstanding_.size(), kMaxOutstandingPlans);
  CHECK_LE(num_running(), max_running_);
}

}  // namespace hybridserve
