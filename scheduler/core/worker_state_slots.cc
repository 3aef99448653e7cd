#include <algorithm>
#include <utility>

#include "absl/types/span.h"
#include "glog/logging.h"
#include "scheduler/core/worker_state.h"
#include "scheduler/policy/kind_spreader.h"
#include "scheduler/policy/preemption.h"

// Who holds slots. A sequence starts with slots for what is known of it and a
// block more, and takes a block at a time as it grows. Who starts is bound by a
// forecast (pool_forecast.h), so that slots are seldom wanting. When they are,
// sequences are dropped, cheapest first (preemption.h): their requests go back
// to their old places in the queue and later run again from their prompts and
// tokens so far, as after the loss of a worker. What plans on their way still
// sample for them is not shown; it comes again.
//
// Every request ends, whatever is dropped. Take the oldest that has not ended,
// of those that this worker may run.
//  1. It runs here. It is the oldest of the worker, so it is never dropped and
//     GrowAll() serves it first. It runs a row in every plan that finds it with
//     a slot for the row. Where it lacks one, nobody joins, and MakeRoom()
//     drops others in every plan until it has one; at last it is alone, and
//     then it has one, as FitsAlone() was asked of all its blocks when it
//     started. So it goes on to its end.
//  2. It waits. It is first in its lane, so nobody joins the worker before it.
//     By 1, with "oldest of those that run here", they all end or are dropped
//     one after the other; when the worker is idle it is started, for then
//     Start() asks for nothing but its slots.
// As a request keeps its age when it is dropped, each becomes the oldest some
// time: none starves. And no two requests can go on dropping each other without
// end: while a sequence wants slots nobody joins, and one that joins leaves at
// least a block of room for each that runs (ExpectGrowth()), so it has the
// steps that fill a block before somebody can be in want again.

namespace hybridserve {
namespace {

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <typename Blocks, typename KindOf>
int64_t SumHalfSlots(const Blocks& blocks, KindOf kind_of) {
  int64_t sum = 0;
  for (const auto& block : blocks) sum += HalfSlotsOf(kind_of(block));
  return sum;
}

int64_t SumHalfSlots(absl::Span<const BlockRef> blocks) {
  return SumHalfSlots(blocks, [](const BlockRef& block) { return block.kind; });
}

int64_t SumHalfSlots(absl::Span<const CacheKind> kinds) {
  return SumHalfSlots(kinds, [](CacheKind kind) { return kind; });
}

}  // namespace

bool WorkerState::Admit(SequenceId sequence, LiveRequest& live,
                        const WaitingRequests& waiting) {
  CHECK(CanEverTake(live)) << "request " << live.key;
  if (num_running() >= max_running_) return false;
  waiting_ = waiting;
  UpdateMix(WorkloadWith(&live));
  if (num_running() >= mix_.max_sequences) return false;
  std::vector<CacheKind> kinds = KindsFor(live.max_positions());
  if (!CanRecompute(kinds)) return false;
  std::vector<CacheKind> probing = kinds;
  const int64_t num_probes = AddProbe(probing);
  if (num_probes > 0 && Start(sequence, live, num_probes, std::move(probing))) {
    last_probe_ = totals_.steps;
    return true;
  }
  const bool started = Start(sequence, live, 0, std::move(kinds));
  room_wanted_ |= !started;
  return started;
}

bool WorkerState::Start(SequenceId id, LiveRequest& live, int64_t num_probes,
                        std::vector<CacheKind> kinds) {
  const int64_t block_tokens = info_.numerics.block_tokens;
  const auto known = static_cast<int64_t>(live.tokens.size());
  const int64_t num_blocks = CeilDiv(
      std::min(known + block_tokens, live.max_positions()), block_tokens);
  RunningSequence sequence = {
      .live = live, .kinds = std::move(kinds), .prefill_positions = known};
  sequence.full_half_slots = SumHalfSlots(sequence.kinds);
  Footprint footprint = sequence.footprint();
  footprint.blocks = num_blocks;
  footprint.half_slots =
      SumHalfSlots(absl::MakeConstSpan(sequence.kinds).subspan(0, num_blocks));
  if (!HasRoomFor(footprint)) return false;
  num_probes = std::min(num_probes, num_blocks);
  if (!Grow(sequence, num_probes, kProbesOnHost)) {
    return false;
  }
  if (!Grow(sequence, num_blocks - num_probes, SharesOfDevice())) {
    slots_.Free(sequence.blocks);
    return false;
  }
  sequence.num_probes = num_probes;

  running_.emplace(live.key, std::move(sequence));
  keys_.emplace(id, live.key);
  full_half_slots_ += footprint.full_half_slots;
  context_tokens_ += live.mean_context();
  final_tokens_ += live.max_positions();
  live.worker = id_;
  live.sequence = id;
  return true;
}

bool WorkerState::HasRoomFor(const Footprint& joining) const {
  if (running_.empty()) return true;
  if (wanting_half_slots_ > 0) return false;
  const int64_t capacity = slots_.capacity();
  if (full_half_slots_ + joining.full_half_slots <= capacity) return true;
  const double share =
      limits_.expected_output.value_or(output_tracker_.share());
  const int64_t chunk =
      std::min<int64_t>(limits_.prefill_chunk_tokens, info_.max_step_tokens);
  std::vector<ExpectedGrowth> sequences;
  sequences.reserve(running_.size() + 1);
  int64_t prompt_rows = 0;  // That run before the next one's.
  int64_t sum = 0;          // If all came to their ends at the same time.
  const auto add = [&](Footprint footprint, int64_t rows) {
    footprint.other_steps = kMaxOutstandingPlans;
    if (rows > 0) {
      prompt_rows += rows;
      footprint.other_steps += CeilDiv(prompt_rows, chunk);
    }
    sequences.push_back(
        ExpectGrowth(footprint, share, info_.numerics.block_tokens));
    sum += sequences.back().final_half_slots;
  };
  for (const auto& [key, sequence] : running_) {
    add(sequence.footprint(),
        sequence.prefill_positions - sequence.num_scheduled);
  }
  add(joining, joining.positions);
  return sum <= capacity || PeakHalfSlots(std::move(sequences)) <= capacity;
}

bool WorkerState::Grow(RunningSequence& sequence, int64_t num_blocks,
                       const DeviceShares& shares) {
  const absl::Span<const CacheKind> kinds =
      absl::MakeConstSpan(sequence.kinds)
          .subspan(sequence.blocks.size(), num_blocks);
  const auto blocks = slots_.Allocate(kinds, shares);
  if (!blocks.ok()) return false;
  sequence.blocks.insert(sequence.blocks.end(), blocks->begin(), blocks->end());
  sequence.half_slots += SumHalfSlots(kinds);
  return true;
}

int64_t WorkerState::GrowAll() {
  wanting_half_slots_ = 0;
  for (auto& [key, sequence] : running_) {
    const int64_t more = sequence.NumBlocksWanted(info_.numerics.block_tokens) -
                         static_cast<int64_t>(sequence.blocks.size());
    if (more <= 0 || Grow(sequence, more, SharesOfDevice())) continue;
    wanting_half_slots_ +=
        SumHalfSlots(absl::MakeConstSpan(sequence.kinds)
                         .subspan(sequence.blocks.size(), more));
  }
  return wanting_half_slots_;
}

void WorkerState::SpreadAnew() {
  if (policy_.recompute_ratio() > 0) return;  // A prefix would lose its tokens.
  int64_t blocks = 0;
  int64_t told_act = 0;  // Of blocks whose kinds stay.
  int64_t untold = 0;
  for (const auto& [key, sequence] : running_) {
    const auto told = sequence.kinds.begin() + sequence.num_fixed_kinds();
    blocks += static_cast<int64_t>(sequence.kinds.size());
    told_act += std::count(sequence.kinds.begin(), told, CacheKind::kAct);
    untold += sequence.kinds.end() - told;
  }
  if (untold == 0 || wanting_half_slots_ > 0) return;
  // So much of the untold ones makes all together the mix.
  const double act_ratio =
      std::clamp((mix_.act_ratio * static_cast<double>(blocks) -
                  static_cast<double>(told_act)) /
                     static_cast<double>(untold),
                 0.0, 1.0);
  int64_t spread = 0;  // Untold blocks so far, and those of them that are ACT.
  int64_t spread_act = 0;
  for (auto& [key, sequence] : running_) {
    const int64_t told = sequence.num_fixed_kinds();
    std::vector<CacheKind> kinds(sequence.kinds.begin(),
                                 sequence.kinds.begin() + told);
    const int64_t open = static_cast<int64_t>(sequence.kinds.size()) - told;
    spread += open;
    const int64_t act =
        std::llround(act_ratio * static_cast<double>(spread)) - spread_act;
    spread_act += act;
    const std::vector<CacheKind> more = SpreadKinds(act, open);
    kinds.insert(kinds.end(), more.begin(), more.end());
    // Nobody is to give way for it.
    const int64_t added =
        SumHalfSlots(absl::MakeConstSpan(kinds)) - sequence.full_half_slots;
    if (kinds == sequence.kinds || !FitsIdle(kinds) ||
        (added > 0 && full_half_slots_ + added > slots_.capacity())) {
      continue;
    }
    ChangeKinds(sequence, std::move(kinds));
  }
}

void WorkerState::ChangeKinds(RunningSequence& sequence,
                              std::vector<CacheKind> kinds) {
  const int64_t told = sequence.num_fixed_kinds();
  const auto num_blocks = static_cast<int64_t>(sequence.blocks.size());
  const int64_t more = std::max<int64_t>(num_blocks - told, 0);
  const auto untold =
      absl::MakeConstSpan(sequence.blocks).subspan(num_blocks - more);
  slots_.Free(untold);
  sequence.half_slots -= SumHalfSlots(untold);
  sequence.blocks.resize(num_blocks - more);
  std::swap(sequence.kinds, kinds);
  if (!Grow(sequence, more, SharesOfDevice())) {
    std::swap(sequence.kinds, kinds);
    CHECK(Grow(sequence, more, SharesOfDevice()));  // What was just freed.
  }
  full_half_slots_ -= sequence.full_half_slots;
  sequence.full_half_slots = SumHalfSlots(sequence.kinds);
  full_half_slots_ += sequence.full_half_slots;
}

void WorkerState::Release(SequenceId id) {
  const auto key = keys_.find(id);
  CHECK(key != keys_.end()) << "sequence " << id << " does not run here";
  const auto it = running_.find(key->second);
  RunningSequence& sequence = it->second;
  full_half_slots_ -= sequence.full_half_slots;
  context_tokens_ -= sequence.live.mean_context();
  final_tokens_ -= sequence.live.max_positions();
  if (sequence.num_sent_blocks == 0) {
    slots_.Free(sequence.blocks);  // The worker never heard of it.
  } else {
    released_.push_back({id, std::move(sequence.blocks)});
  }
  running_.erase(it);
  keys_.erase(key);
  if (running_.empty()) context_tokens_ = 0;  // No rounding error is kept.
}

// Slots of dropped sequences are free once the next plan has told the worker,
// so that the plan after it can use them: hence a block is wanted one row
// ahead. Slots of those that it never heard of are free at once.
std::vector<LiveRequest*> WorkerState::MakeRoom() {
  std::vector<LiveRequest*> dropped;
  if (outstanding_.size() >= kMaxOutstandingPlans) return dropped;
  while (true) {
    int64_t wanting = GrowAll();
    for (const Released& released : released_) {
      wanting -= SumHalfSlots(released.blocks);
    }
    if (wanting <= 0) return dropped;
    std::vector<PreemptionCandidate> candidates;
    std::vector<LiveRequest*> oldest_first;
    for (auto& [key, sequence] : running_) {
      // One of TOKENS blocks only has nothing to give.
      if (sequence.half_slots == 0 && !candidates.empty()) continue;
      candidates.push_back({.replay_positions = sequence.num_scheduled,
                            .half_slots = sequence.half_slots});
      oldest_first.push_back(&sequence.live);
    }
    const std::vector<int32_t> chosen = ChoosePreempted(candidates, wanting);
    if (chosen.empty()) {
      CHECK(!released_.empty()) << "request " << oldest_first.front()->key
                                << " does not fit alone on worker " << id_;
      return dropped;
    }
    for (const int32_t i : chosen) {
      LiveRequest& live = *oldest_first[i];
      VLOG(1) << "preempt worker=" << id_ << " sequence=" << live.sequence
              << " half_slots=" << candidates[i].half_slots
              << " replay_positions=" << candidates[i].replay_positions;
      Release(live.sequence);
      live.worker.reset();
      live.scores.clear();
      ++totals_.preemptions;
      dropped.push_back(&live);
    }
  }
}

RunningSequence* WorkerState::Find(SequenceId sequence) {
  const auto key = keys_.find(sequence);
  return key == keys_.end() ? nullptr : &running_.at(key->second);
}

}  // namespace hybridserve
