#include "scheduler/core/scheduler_core.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "scheduler/core/request_validator.h"

// Every public call changes what it must and then calls Advance(), which admits
// from the queue and sends plans until nothing more can be done. So no state
// outside of a call is waiting for a nudge, and the order of events alone
// decides what happens.

namespace hybridserve {
namespace {

// Who finds the queue full is to come again when so much of it is gone.
constexpr double kRetryShare = 0.25;
constexpr absl::Duration kLongestRetryDelay = absl::Minutes(5);

}  // namespace

SchedulerCore::SchedulerCore(const SchedulerOptions& options,
                             std::unique_ptr<Policy> policy, const Clock& clock)
    : options_(options),
      policy_(std::move(policy)),
      clock_(clock),
      queue_({.max_requests = options.max_queue_requests,
              .max_tokens = options.max_queue_tokens,
              .tenant_share = options.tenant_queue_share}),
      breaker_(options.breaker) {
  CHECK(policy_ != nullptr);
  CHECK_GE(options.max_running, 1);
  CHECK_GE(options.prefill_chunk_tokens, 1);
}

SchedulerCore::~SchedulerCore() {
  std::vector<RequestKey> keys;
  keys.reserve(requests_.size());
  for (const auto& [key, live] : requests_) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  for (const RequestKey key : keys) {
    Fail(*FindLive(key), absl::UnavailableError("the scheduler shuts down"));
  }
}

absl::StatusOr<RequestKey> SchedulerCore::Submit(
    GenerationRequest request, std::unique_ptr<RequestObserver> observer) {
  CHECK(observer != nullptr);
  if (draining_) {
    return WithRetryDelay(
        absl::UnavailableError("the scheduler drains: no new requests"),
        options_.retry_delay);
  }
  const auto model = models_.Find(request.model);
  if (absl::IsUnavailable(model.status())) {
    return WithRetryDelay(model.status(), options_.retry_delay);
  }
  RETURN_IF_ERROR(model.status());
  RETURN_IF_ERROR(ValidateRequest(request, (*model)->config));
  const absl::Time now = clock_.Now();
  if (request.deadline <= now) {
    return absl::DeadlineExceededError("the deadline passed before queueing");
  }
  if (!request.request_id.empty() &&
      keys_by_request_id_.contains(request.request_id)) {
    return absl::AlreadyExistsError(
        absl::StrCat("request_id: a request ", request.request_id, " is live"));
  }

  auto live = std::make_unique<LiveRequest>();
  live->key = RequestKey(last_key_ + 1);
  live->model = (*model)->name;
  live->tokens = request.prompt;
  live->submitted = now;
  if (!request.ignore_eos) {
    for (const int64_t eos : (*model)->config.eos_token_ids) {
      request.stop_token_ids.push_back(static_cast<int32_t>(eos));
    }
  }
  live->request = std::move(request);
  if (const auto limit = live->request.tenant_limits.max_priority) {
    live->request.priority = std::min(live->request.priority, *limit);
  }
  RETURN_IF_ERROR(CheckFits(*live));
  RETURN_IF_ERROR(CheckTenantIsBelowLimits(*live));
  const int64_t position = queue_.LaneSize(live->model);
  absl::flat_hash_set<WorkerId> full;
  if (position > 0 || !Place(*live, WaitingRequests(), full)) {
    RETURN_IF_ERROR(Enqueue(*live));
  }

  const RequestKey key = live->key;
  ++last_key_;
  ++counts_.accepted;
  if (!live->request.request_id.empty()) {
    keys_by_request_id_.emplace(live->request.request_id, key);
  }
  ++live_of_tenant_[live->request.tenant];
  live->observer = std::move(observer);
  LiveRequest& accepted = *live;
  requests_.emplace(key, std::move(live));
  UpdateTimers(accepted);
  accepted.observer->OnAccepted(position);
  Advance();
  return key;
}

absl::Status SchedulerCore::CheckFits(const LiveRequest& live) const {
  const std::optional<int64_t> limit = MaxRequestTokens(live.model);
  if (!limit.has_value() || live.max_positions() <= *limit) {
    return absl::OkStatus();
  }
  const auto prompt = static_cast<int64_t>(live.request.prompt.size());
  const bool too_long = live.request.is_score() || prompt >= *limit;
  return InvalidFieldError(too_long ? "prompt" : "stopping.max_tokens",
                           absl::StrCat(live.max_positions(),
                                        " tokens, prompt and output, are more "
                                        "than a worker's whole cache holds (",
                                        *limit, ")"));
}

absl::Status SchedulerCore::CheckTenantIsBelowLimits(
    const LiveRequest& live) const {
  const GenerationRequest& request = live.request;
  const auto it = live_of_tenant_.find(request.tenant);
  const int64_t count = it == live_of_tenant_.end() ? 0 : it->second;
  if (count >= request.tenant_limits.max_live_requests.value_or(INT64_MAX)) {
    return WithRetryDelay(absl::ResourceExhaustedError(absl::StrCat(
                              "tenant ", request.tenant, " has ", count,
                              " requests, the most that it may at a time")),
                          options_.retry_delay);
  }
  return absl::OkStatus();
}

absl::Status SchedulerCore::Enqueue(const LiveRequest& live) {
  const std::string& tenant = live.request.tenant;
  const int64_t queued = queue_.TokensOf(tenant);
  const int64_t limit =
      live.request.tenant_limits.max_queued_tokens.value_or(INT64_MAX);
  if (queued > limit - live.max_positions()) {
    return WithRetryDelay(
        absl::ResourceExhaustedError(absl::StrCat(
            "tenant ", tenant, " has ", queued, " tokens waiting, and ",
            live.max_positions(), " more would pass its limit of ", limit)),
        RetryDelayFor(live));
  }
  const auto wait = TimeToServe(
      live.model,
      queue_.TokensBefore(live.model, tenant, live.max_positions()));
  absl::Status status;
  absl::Duration delay;
  if (wait.has_value() && *wait > options_.max_queue_wait) {
    status = absl::ResourceExhaustedError(absl::StrCat(
        "the queue is full: a request would wait for ",
        absl::FormatDuration(absl::Trunc(*wait, absl::Milliseconds(1))),
        ", and may for ", absl::FormatDuration(options_.max_queue_wait)));
    delay = std::max(*wait - options_.max_queue_wait, options_.retry_delay);
  } else {
    status = queue_.Push(live.model, live.waiting());
    if (status.ok()) return status;
    delay = RetryDelayFor(live);
  }
  if (NumTakingWorkersOf(live.model) > 0) return WithRetryDelay(status, delay);
  return WithRetryDelay(
      absl::UnavailableError(absl::StrCat(
          "model ", live.model, " has no worker now, and ", status.message())),
      options_.retry_delay);
}

std::optional<absl::Duration> SchedulerCore::TimeToServe(
    absl::string_view model, int64_t tokens) const {
  const auto rate = drain_rates_.find(model);
  if (rate == drain_rates_.end()) return std::nullopt;
  return rate->second.TimeFor(tokens);
}

absl::Duration SchedulerCore::RetryDelayFor(const LiveRequest& live) const {
  const int64_t tokens = std::max(
      live.max_positions(),
      static_cast<int64_t>(kRetryShare *
                           static_cast<double>(queue_.LaneTokens(live.model))));
  return std::clamp(
      TimeToServe(live.model, tokens).value_or(options_.retry_delay),
      options_.retry_delay, std::max(options_.retry_delay, kLongestRetryDelay));
}

LiveRequest* SchedulerCore::FindLive(RequestKey key) {
  const auto it = requests_.find(key);
  return it == requests_.end() ? nullptr : it->second.get();
}

bool SchedulerCore::Cancel(RequestKey key) {
  LiveRequest* live = FindLive(key);
  if (live == nullptr) return false;
  Finish(*live, FinishReason::kCancelled);
  Advance();
  return true;
}

bool SchedulerCore::CancelById(absl::string_view request_id) {
  const auto it = keys_by_request_id_.find(request_id);
  return it != keys_by_request_id_.end() && Cancel(it->second);
}

void SchedulerCore::Deliver(WorkerState& worker, const SequenceResult& result) {
  const RunningSequence* sequence = worker.Find(result.sequence);
  if (sequence == nullptr) return;  // It ended one step ago, or was cancelled.
  LiveRequest& live = sequence->live;
  if (!live.request.is_score()) {
    if (result.token < 0) return;  // A chunk of its prompt.
    if (!worker.has_generated()) worker.TellProven();
    worker.CountGeneratedToken();
    live.numerics = worker.info().numerics;
    DeliverToken(live, result);
    return;
  }
  live.scores.insert(live.scores.end(), result.scores.begin(),
                     result.scores.end());
  if (sequence->num_done == static_cast<int64_t>(live.request.prompt.size())) {
    live.observer->OnScores(live.scores);
    Finish(live, FinishReason::kStop);
  }
}

void SchedulerCore::DeliverToken(LiveRequest& live,
                                 const SequenceResult& result) {
  const GenerationRequest& request = live.request;
  live.tokens.push_back(result.token);
  if (live.num_generated() == 1) live.first_token = clock_.Now();
  const bool wants_more = live.observer->OnToken(
      {.id = result.token, .log_prob = result.log_prob, .top = result.top});
  const bool is_stop =
      live.num_generated() >= request.min_tokens &&
      std::find(request.stop_token_ids.begin(), request.stop_token_ids.end(),
                result.token) != request.stop_token_ids.end();
  if (is_stop || !wants_more) {
    Finish(live, FinishReason::kStop);
  } else if (live.num_generated() >= request.max_tokens) {
    Finish(live, FinishReason::kLength);
  }
}

// A request is stranded while no connected worker could ever take it.
void SchedulerCore::UpdateTimers(LiveRequest& live) {
  const bool stranded =
      !live.worker.has_value() &&
      std::none_of(workers_.begin(), workers_.end(), [&](const auto& it) {
        return it.second->CanEverTake(live);
      });
  if (!stranded) {
    live.stranded_until = absl::InfiniteFuture();
  } else if (live.stranded_until == absl::InfiniteFuture()) {
    live.stranded_until = clock_.Now() + options_.failover_timeout;
  }
  const absl::Time due = std::min(live.stranded_until, live.request.deadline);
  if (due == live.due) return;
  timers_.erase({live.due, live.key});
  live.due = due;
  if (due != absl::InfiniteFuture()) timers_.insert({due, live.key});
}

void SchedulerCore::UpdateAllTimers() {
  for (auto& [key, live] : requests_) UpdateTimers(*live);
}

void SchedulerCore::Tick() {
  const absl::Time now = clock_.Now();
  ExpireRequests(now);
  ExpireLeases(now);
  Advance();
}

void SchedulerCore::ExpireRequests(absl::Time now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    LiveRequest& live = *FindLive(timers_.begin()->second);
    if (live.request.deadline <= now) {
      Fail(live,
           absl::DeadlineExceededError(absl::StrCat(
               "the deadline passed after ", live.num_generated(), " tokens")));
    } else if (live.was_started()) {
      Fail(live, absl::AbortedError(absl::StrCat(
                     "its worker was lost and no other of its kind came in ",
                     absl::FormatDuration(options_.failover_timeout))));
    } else {
      Fail(live,
           WithRetryDelay(absl::UnavailableError(absl::StrCat(
                              "no worker that could take it came in ",
                              absl::FormatDuration(options_.failover_timeout))),
                          options_.retry_delay));
    }
  }
}

bool SchedulerCore::Place(LiveRequest& live, const WaitingRequests& waiting,
                          absl::flat_hash_set<WorkerId>& full) {
  std::vector<WorkerState*> candidates;
  for (auto& [id, worker] : workers_) {
    if (!full.contains(id) && worker->CanEverTake(live)) {
      candidates.push_back(worker.get());
    }
  }
  // Least loaded first; of those, one that has yet to show that it works: a new
  // worker's warm-up request is to run there.
  const auto rank = [](const WorkerState* worker) {
    return std::make_tuple(worker->num_running(), worker->has_generated(),
                           -worker->num_free(), worker->id());
  };
  std::sort(candidates.begin(), candidates.end(),
            [&](const WorkerState* a, const WorkerState* b) {
              return rank(a) < rank(b);
            });
  const SequenceId sequence(last_sequence_ + 1);
  for (WorkerState* worker : candidates) {
    if (!worker->Admit(sequence, live, waiting)) continue;
    ++last_sequence_;
    if (!live.was_started()) live.started = clock_.Now();
    return true;
  }
  for (const WorkerState* worker : candidates) full.insert(worker->id());
  return false;
}

// A request that finds no room keeps the workers that it could run on for
// itself, so nothing behind it overtakes it there and it can't starve. One that
// no worker could ever take (it waits for its numerics class) holds up nobody.
void SchedulerCore::AdmitLane(absl::string_view model) {
  const size_t num_workers = NumTakingWorkersOf(model);
  if (num_workers == 0 || queue_.LaneSize(model) == 0) return;
  WaitingRequests waiting = WaitingOf(model);
  std::vector<LiveRequest*> admitted;
  absl::flat_hash_set<WorkerId> full;
  queue_.Visit(model, [&](RequestKey key) {
    LiveRequest& live = *FindLive(key);
    waiting.final_tokens -= live.max_positions();
    --waiting.sequences;
    if (Place(live, waiting, full)) admitted.push_back(&live);
    return full.size() < num_workers;
  });
  for (LiveRequest* live : admitted) {
    queue_.Take(live->key);
    drain_rates_[live->model].Left(clock_.Now(), live->max_positions(),
                                   queue_.LaneSize(model) > 0);
    UpdateTimers(*live);
    if (!live->resuming) continue;
    live->resuming = false;
    ++counts_.replays;
    live->observer->OnResumed();
  }
}

WaitingRequests SchedulerCore::WaitingOf(absl::string_view model) const {
  return {.sequences = queue_.LaneSize(model),
          .final_tokens = queue_.LaneTokens(model)};
}

void SchedulerCore::Advance() {
  for (bool again = true; again;) {
    again = false;
    // Those that run come before those that wait.
    for (auto& [id, worker] : workers_) {
      for (LiveRequest* live : worker->MakeRoom()) {
        queue_.PutBack(live->model, live->waiting());
        UpdateTimers(*live);  // Its worker may be draining.
        ++counts_.preemptions;
      }
    }
    for (const auto& [name, model] : models_.models()) AdmitLane(name);
    // A plan that releases slots may let more requests in.
    for (auto& [id, worker] : workers_) {
      worker->SetWaiting(worker->is_draining()
                             ? WaitingRequests{}
                             : WaitingOf(worker->info().model_name));
      again |= worker->SendPlan();
      AwaitResult(*worker);
    }
  }
  LetDrainedWorkersGo();
#ifndef NDEBUG
  CheckInvariants();
#endif
}

std::unique_ptr<LiveRequest> SchedulerCore::Remove(LiveRequest& live) {
  if (live.worker.has_value()) {
    workers_.at(*live.worker)->Release(live.sequence);
  } else {
    CHECK(queue_.Remove(live.key)) << "request " << live.key << " is nowhere";
  }
  timers_.erase({live.due, live.key});
  keys_by_request_id_.erase(live.request.request_id);
  const auto count = live_of_tenant_.find(live.request.tenant);
  if (--count->second == 0) live_of_tenant_.erase(count);
  const auto it = requests_.find(live.key);
  std::unique_ptr<LiveRequest> removed = std::move(it->second);
  requests_.erase(it);
  return removed;
}

void SchedulerCore::Finish(LiveRequest& live, FinishReason reason) {
  if (reason != FinishReason::kCancelled && live.worker.has_value() &&
      !live.request.is_score()) {
    workers_.at(*live.worker)
        ->CountOutput(live.num_generated(), live.request.max_tokens);
  }
  const std::unique_ptr<LiveRequest> ended = Remove(live);
  ++(reason == FinishReason::kCancelled ? counts_.cancelled : counts_.finished);
  ended->observer->OnFinished(reason, ended->UsageAt(clock_.Now()));
}

void SchedulerCore::Fail(LiveRequest& live, const absl::Status& status) {
  const std::unique_ptr<LiveRequest> ended = Remove(live);
  ++counts_.failed;
  ended->observer->OnError(status);
}

void SchedulerCore::Drain() { draining_ = true; }

}  // namespace hybridserve
