#include "worker/testing/plan_driver.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/cache/table_hash.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

// Error diffusion (PAPER.md 1.3).
CacheKind KindOfBlock(int64_t index, double act_ratio) {
  const auto before = static_cast<double>(index);
  return std::floor((before + 1) * act_ratio) > std::floor(before * act_ratio)
             ? CacheKind::kAct
             : CacheKind::kKv;
}

bool IsDone(const DriverRequest& request, int num_done, int num_sampled,
            int num_steps) {
  if (request.cancel_after > 0 && num_steps >= request.cancel_after) {
    return true;
  }
  return num_done >= static_cast<int>(request.prompt.size()) &&
         num_sampled >= request.max_new;
}

}  // namespace

PlanDriver::PlanDriver(const StepLimits& limits, const DriverOptions& options,
                       std::function<void(StepPlan)> submit)
    : limits_(limits),
      options_(options),
      submit_(std::move(submit)),
      host_(limits.host_half_slots),
      device_(limits.device_half_slots) {}

std::vector<DriverOutput> PlanDriver::Run(
    const std::vector<DriverRequest>& requests) {
  for (size_t i = 0; i < requests.size(); ++i) waiting_.push_back(i);
  last_tables_.assign(requests.size(), {});
  int step = 0;
  int64_t sent = 0;
  {
    const absl::MutexLock lock(&mutex_);
    num_results_ = 0;
    results_.clear();
    stats_ = {};
    status_ = absl::OkStatus();
  }
  while (!waiting_.empty() || !running_.empty() || !finished_.empty()) {
    Admit(requests, step++);
    submit_(MakePlan(requests));
    ++sent;
    ReleaseFinished(requests);
    const absl::MutexLock lock(&mutex_);
    const int64_t wanted = sent - options_.in_flight;
    const auto arrived = [this, wanted]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(
                             mutex_) { return num_results_ >= wanted; };
    mutex_.Await(absl::Condition(&arrived));
  }
  CHECK_EQ(host_.num_free(), host_.capacity());
  CHECK_EQ(device_.num_free(), device_.capacity());

  const absl::MutexLock lock(&mutex_);
  const auto all = [this, sent]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return num_results_ >= sent;
  };
  mutex_.Await(absl::Condition(&all));
  std::vector<DriverOutput> outputs(requests.size());
  for (const StepResult& result : results_) {
    for (const SequenceResult& sequence : result.sequences) {
      DriverOutput& output = outputs[request_of_.at(sequence.sequence)];
      if (sequence.token >= 0) {
        output.tokens.push_back(sequence.token);
        output.log_probs.push_back(sequence.log_prob);
        output.top.push_back(sequence.top);
      }
      output.scores.insert(output.scores.end(), sequence.scores.begin(),
                           sequence.scores.end());
    }
  }
  return outputs;
}

void PlanDriver::OnResult(StepResult result) {
  const absl::MutexLock lock(&mutex_);
  ++num_results_;
  if (status_.ok()) status_ = result.status;
  stats_.weight_bytes += result.stats.weight_bytes;
  stats_.kv_bytes += result.stats.kv_bytes;
  stats_.act_bytes += result.stats.act_bytes;
  stats_.write_back_bytes += result.stats.write_back_bytes;
  stats_.rebuilt_tokens += result.stats.rebuilt_tokens;
  stats_.mini_batches += result.stats.mini_batches;
  results_.push_back(std::move(result));
}

absl::Status PlanDriver::status() const {
  const absl::MutexLock lock(&mutex_);
  return status_;
}

StepStats PlanDriver::total_stats() const {
  const absl::MutexLock lock(&mutex_);
  return stats_;
}

void PlanDriver::Admit(const std::vector<DriverRequest>& requests, int step) {
  std::vector<size_t> still_waiting;
  for (const size_t index : waiting_) {
    const DriverRequest& request = requests[index];
    Running running = {.request = index};
    const int64_t positions =
        static_cast<int64_t>(request.prompt.size()) + request.max_new;
    if (request.first_step > step ||
        !AllocateBlocks(positions, running.blocks)) {
      still_waiting.push_back(index);
      continue;
    }
    running.id = SequenceId(next_id_++);
    request_of_[running.id] = index;
    last_tables_[index] = running.blocks;
    running_.push_back(std::move(running));
  }
  waiting_ = std::move(still_waiting);
}

bool PlanDriver::AllocateBlocks(int64_t positions,
                                std::vector<BlockRef>& blocks) {
  const int64_t count =
      (positions + limits_.block_tokens - 1) / limits_.block_tokens;
  const auto recomputed = static_cast<int64_t>(
      std::floor(static_cast<double>(count) * options_.recompute_ratio));
  for (int64_t i = 0; i < count; ++i) {
    if (i < recomputed) {
      blocks.push_back({.kind = CacheKind::kTokens});
      continue;
    }
    const CacheKind kind = KindOfBlock(i, options_.act_ratio);
    const std::optional<BlockRef> block = AllocateBlock(kind, i % 2 == 0);
    if (!block.has_value()) {
      FreeBlocks(blocks);
      blocks.clear();
      return false;
    }
    blocks.push_back(*block);
  }
  return true;
}

std::optional<BlockRef> PlanDriver::AllocateBlock(CacheKind kind,
                                                  bool prefer_device) {
  const int slots = HalfSlotsOf(kind);
  const bool on_device =
      options_.use_device_pool && prefer_device && device_.num_free() >= slots;
  const auto taken = (on_device ? device_ : host_).Allocate(slots);
  if (!taken.ok()) return std::nullopt;
  return BlockRef{.kind = kind,
                  .tier = on_device ? Tier::kDevice : Tier::kHost,
                  .first = (*taken)[0],
                  .second = slots == 2 ? (*taken)[1] : HalfSlot(0)};
}

void PlanDriver::FreeBlocks(const std::vector<BlockRef>& blocks) {
  for (const BlockRef& block : blocks) {
    if (block.kind == CacheKind::kTokens) continue;
    HalfSlotPool& pool = block.tier == Tier::kHost ? host_ : device_;
    pool.Free({block.first});
    if (block.kind == CacheKind::kKv) pool.Free({block.second});
  }
}

StepPlan PlanDriver::MakePlan(const std::vector<DriverRequest>& requests) {
  StepPlan plan;
  plan.fence = {.term = 1, .epoch = options_.epoch, .step = next_step_++};
  for (const Running& finished : finished_) {
    plan.released.push_back(finished.id);
  }
  finished_.clear();
  int rows = 0;
  int sampled = 0;
  for (Running& running : running_) {
    const DriverRequest& request = requests[running.request];
    if (IsDone(request, running.num_done, running.num_sampled,
               running.num_steps)) {
      continue;  // Its blocks are kept.
    }
    const int left =
        std::max(static_cast<int>(request.prompt.size()) - running.num_done, 0);
    const int wanted = left > 0 ? std::min(left, options_.chunk_tokens) : 1;
    const int room = limits_.max_step_tokens - rows;
    const int count = std::min(wanted, room);
    if (count == 0 || sampled == limits_.max_logit_rows) break;
    AddSequence(request, running, count, plan);
    rows += count;
    sampled += plan.sequences.back().sample ? 1 : 0;
  }
  AddMiniBatches(plan);
  AddConversions(plan);
  plan.schedule = options_.schedule;
  return plan;
}

void PlanDriver::AddSequence(const DriverRequest& request, Running& running,
                             int rows, StepPlan& plan) {
  StepSequence sequence = {
      .sequence = running.id,
      .num_cached = running.num_done,
      .num_new = rows,
      .sampling = request.sampling,
      .num_prompt = static_cast<int32_t>(request.prompt.size())};
  const int prompt_tokens = static_cast<int>(request.prompt.size());
  if (running.num_done < prompt_tokens) {
    const auto first = request.prompt.begin() + running.num_done;
    sequence.new_tokens.assign(first, first + rows);
    if (!request.score_targets.empty()) {
      const auto target = request.score_targets.begin() + running.num_done;
      sequence.score_targets.assign(target, target + rows);
    }
  }
  sequence.sample = running.num_done + rows >= prompt_tokens &&
                    running.num_sampled < request.max_new;
  if (!running.table_sent) {
    plan.table_updates.push_back(
        {.sequence = running.id,
         .first_block = 0,
         .blocks = running.blocks,
         .table_hash = BlockTableHash(running.blocks)});
    running.table_sent = true;
  }
  running.num_done += rows;
  running.num_sampled += sequence.sample ? 1 : 0;
  ++running.num_steps;
  plan.sequences.push_back(std::move(sequence));
}

void PlanDriver::AddMiniBatches(StepPlan& plan) const {
  int64_t half_slots = 0;
  for (size_t i = 0; i < plan.sequences.size(); ++i) {
    const StepSequence& sequence = plan.sequences[i];
    const auto it = std::find_if(running_.begin(), running_.end(),
                                 [&](const Running& running) {
                                   return running.id == sequence.sequence;
                                 });
    int64_t needed = 0;
    for (int at = 0; at < sequence.num_cached; at += limits_.block_tokens) {
      const BlockRef& block = it->blocks[at / limits_.block_tokens];
      if (block.kind == CacheKind::kAct) {
        needed += 3;
      } else if (block.tier != Tier::kDevice) {
        needed += 2;
      }
    }
    if (plan.mini_batches.empty() ||
        static_cast<int>(plan.mini_batches.back().sequences.size()) >=
            options_.max_mini_batch ||
        half_slots + needed > limits_.staging_half_slots) {
      plan.mini_batches.emplace_back();
      half_slots = 0;
    }
    half_slots += needed;
    plan.mini_batches.back().sequences.push_back(static_cast<int32_t>(i));
  }
}

void PlanDriver::AddConversions(StepPlan& plan) {
  int budget = options_.convert_blocks;
  std::vector<BlockRef> left;
  for (const StepSequence& sequence : plan.sequences) {
    const auto it = std::find_if(running_.begin(), running_.end(),
                                 [&](const Running& running) {
                                   return running.id == sequence.sequence;
                                 });
    ConvertBlocks(*it, sequence.num_cached, budget, plan, left);
  }
  FreeBlocks(left);  // For the next plan.
}

void PlanDriver::ConvertBlocks(Running& running, int64_t num_cached,
                               int& budget, StepPlan& plan,
                               std::vector<BlockRef>& left) {
  TableConversion conversion = {.sequence = running.id};
  const int64_t whole = num_cached / limits_.block_tokens;
  for (int64_t i = 0; i < whole && budget > 0; ++i) {
    BlockRef& block = running.blocks[i];
    if (block.kind != CacheKind::kAct) continue;
    const std::optional<BlockRef> to =
        AllocateBlock(CacheKind::kKv, num_converted_ % 2 == 0);
    if (!to.has_value()) break;
    left.push_back(block);
    block = *to;
    last_tables_[running.request][i] = *to;
    conversion.blocks.push_back({.block = static_cast<int32_t>(i), .to = *to});
    ++num_converted_;
    --budget;
  }
  if (conversion.blocks.empty()) return;
  conversion.table_hash = BlockTableHash(running.blocks);
  plan.conversions.push_back(std::move(conversion));
}

void PlanDriver::ReleaseFinished(const std::vector<DriverRequest>& requests) {
  const bool all_done =
      waiting_.empty() &&
      std::all_of(running_.begin(), running_.end(), [&](const Running& r) {
        return IsDone(requests[r.request], r.num_done, r.num_sampled,
                      r.num_steps);
      });
  std::vector<Running> going_on;
  for (Running& running : running_) {
    if (IsDone(requests[running.request], running.num_done, running.num_sampled,
               running.num_steps) &&
        (!keep_blocks_ || all_done)) {
      FreeBlocks(running.blocks);
      finished_.push_back(std::move(running));
    } else {
      going_on.push_back(std::move(running));
    }
  }
  running_ = std::move(going_on);
}

}  // namespace hybridserve
