#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/model_config_json.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/worker_info_validator.h"

// How workers come, answer, drain and are lost.

namespace hybridserve {
namespace {

// A worker that gave clients so many tokens is worth having, however it ends;
// so is one that was there for so long.
constexpr int64_t kProvenTokens = 16;
constexpr absl::Duration kProvenTime = absl::Minutes(1);

// Where a lease's end is noticed so late, this process was the one that stood
// still: what workers sent meanwhile is yet to be read.
constexpr absl::Duration kLateTick = absl::Seconds(1);

}  // namespace

absl::StatusOr<WorkerId> SchedulerCore::AddWorker(
    const WorkerInfo& info, std::unique_ptr<WorkerLink> link) {
  CHECK(link != nullptr);
  RETURN_IF_ERROR(ValidateWorkerInfo(info));
  const absl::Time now = clock_.Now();
  RETURN_IF_ERROR(breaker_.Check(info.name, now));
  RegisteredModel model = {.name = info.model_name,
                           .weights_hash = info.numerics.weights_hash};
  ASSIGN_OR_RETURN(model.config, ParseModelConfig(info.files.config_json));
  RETURN_IF_ERROR(policy_->CheckWorker(info, model.config));
  RETURN_IF_ERROR(models_.Register(model, IsInUse(model.name)));

  const WorkerId id(++last_worker_);
  const WorkerLimits limits = {
      .max_running = options_.max_running,
      .prefill_chunk_tokens = options_.prefill_chunk_tokens,
      .max_step_time = options_.max_step_time,
      .expected_output = options_.expected_output};
  auto worker = std::make_unique<WorkerState>(
      id, options_.term, info, model.config, std::move(link), limits, *policy_);
  LOG(INFO) << "worker added id=" << id << " name=" << info.name
            << " epoch=" << info.epoch << " model=" << info.model_name
            << " device=" << info.device
            << " max_running=" << worker->max_running()
            << " max_request_tokens=" << worker->max_request_tokens();
  workers_.emplace(id, std::move(worker));
  lives_[id] = {.added = now, .lease_until = now + options_.worker_lease};
  UpdateAllTimers();
  Advance();
  return id;
}

void SchedulerCore::OnHeartbeat(WorkerId id) {
  const auto it = lives_.find(id);
  if (it == lives_.end()) return;
  it->second.lease_until = clock_.Now() + options_.worker_lease;
}

void SchedulerCore::OnResult(WorkerId id, StepResult result) {
  const auto it = workers_.find(id);
  if (it == workers_.end()) return;
  OnHeartbeat(id);
  WorkerState& worker = *it->second;
  if (worker.IsOfOthers(result)) {
    LOG(WARNING) << "stale result dropped worker=" << id
                 << " term=" << result.fence.term
                 << " epoch=" << result.fence.epoch
                 << " step=" << result.fence.step;
    return;
  }
  lives_.at(id).result_due = absl::InfiniteFuture();
  const auto sequences = worker.TakeResult(std::move(result));
  if (!sequences.ok()) {
    JudgeLoss(worker, /*misbehaved=*/true);
    LoseWorker(id, sequences.status());
  } else {
    for (const SequenceResult& sequence : *sequences) {
      Deliver(worker, sequence);
    }
  }
  Advance();
}

void SchedulerCore::RemoveWorker(WorkerId id, const absl::Status& reason) {
  const auto it = workers_.find(id);
  if (it == workers_.end()) return;
  JudgeLoss(*it->second, /*misbehaved=*/false);
  LoseWorker(id, reason);
  Advance();
}

void SchedulerCore::LoseWorker(WorkerId id, const absl::Status& reason) {
  const auto it = workers_.find(id);
  const std::unique_ptr<WorkerState> worker = std::move(it->second);
  workers_.erase(it);
  lives_.erase(id);
  LOG(WARNING) << "worker lost id=" << id << " name=" << worker->info().name
               << " running=" << worker->num_running() << " reason=" << reason;
  std::vector<LiveRequest*> failed;
  for (const auto& [key, sequence] : worker->running()) {
    LiveRequest& live = sequence.live;
    live.worker.reset();
    live.scores.clear();
    live.resuming = true;
    queue_.PutBack(live.model, live.waiting());
    if (++live.replays >= options_.max_losses) failed.push_back(&live);
  }
  for (LiveRequest* live : failed) {
    Fail(*live, absl::AbortedError(
                    absl::StrCat(live->replays,
                                 " workers were lost while they ran this "
                                 "request; the last: ",
                                 reason.message())));
  }
  UpdateAllTimers();
}

void SchedulerCore::JudgeLoss(const WorkerState& worker, bool misbehaved) {
  const absl::Time now = clock_.Now();
  const bool proven = worker.num_generated() >= kProvenTokens ||
                      now - lives_.at(worker.id()).added >= kProvenTime;
  if (misbehaved || (!proven && !worker.is_draining())) {
    breaker_.CountFailure(worker.info().name, now);
  } else if (proven) {
    breaker_.CountSuccess(worker.info().name);
  }
}

void SchedulerCore::ExpireLeases(absl::Time now) {
  // Whether it is over; one that is found so too late begins anew.
  const auto is_over = [now](absl::Time& until, absl::Duration term) {
    if (until > now) return false;
    if (now - until <= kLateTick) return true;
    until = now + term;
    return false;
  };
  std::vector<WorkerId> silent;
  std::vector<WorkerId> hanging;
  for (auto& [id, life] : lives_) {
    if (is_over(life.lease_until, options_.worker_lease)) {
      silent.push_back(id);
    } else if (is_over(life.result_due, options_.step_timeout)) {
      hanging.push_back(id);
    }
  }
  for (const WorkerId id : silent) {
    JudgeLoss(*workers_.at(id), /*misbehaved=*/false);
    LoseWorker(id, absl::UnavailableError(absl::StrCat(
                       "no sign of life for ",
                       absl::FormatDuration(options_.worker_lease))));
  }
  for (const WorkerId id : hanging) {
    JudgeLoss(*workers_.at(id), /*misbehaved=*/true);
    LoseWorker(id, absl::UnavailableError(absl::StrCat(
                       "it hangs: no result of a step for ",
                       absl::FormatDuration(options_.step_timeout))));
  }
}

void SchedulerCore::AwaitResult(const WorkerState& worker) {
  WorkerLife& life = lives_.at(worker.id());
  if (worker.num_outstanding() == 0) {
    life.result_due = absl::InfiniteFuture();
  } else if (life.result_due == absl::InfiniteFuture()) {
    life.result_due = clock_.Now() + options_.step_timeout;
  }
}

void SchedulerCore::DrainWorker(WorkerId id) {
  const auto it = workers_.find(id);
  if (it == workers_.end() || it->second->is_draining()) return;
  LOG(INFO) << "worker drains id=" << id << " name=" << it->second->info().name
            << " running=" << it->second->num_running();
  it->second->StartDraining();
  UpdateAllTimers();
  Advance();
}

void SchedulerCore::LetDrainedWorkersGo() {
  const size_t before = workers_.size();
  for (auto it = workers_.begin(); it != workers_.end();) {
    if (!it->second->is_draining() || it->second->num_running() > 0) {
      ++it;
      continue;
    }
    LOG(INFO) << "worker drained id=" << it->first
              << " name=" << it->second->info().name;
    lives_.erase(it->first);
    it = workers_.erase(it);
  }
  if (workers_.size() < before) UpdateAllTimers();
}

}  // namespace hybridserve
