#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "scheduler/core/scheduler_core.h"

// What looks at the core's state without changing it.

namespace hybridserve {

int64_t SchedulerCore::NumWorkersOf(absl::string_view model) const {
  return std::count_if(workers_.begin(), workers_.end(), [&](const auto& it) {
    return it.second->info().model_name == model;
  });
}

int64_t SchedulerCore::NumTakingWorkersOf(absl::string_view model) const {
  return std::count_if(workers_.begin(), workers_.end(), [&](const auto& it) {
    return it.second->info().model_name == model && !it.second->is_draining();
  });
}

std::optional<int64_t> SchedulerCore::MaxRequestTokens(
    absl::string_view model) const {
  std::optional<int64_t> most;
  for (const auto& [id, worker] : workers_) {
    if (worker->info().model_name != model) continue;
    most = std::max(most.value_or(0), worker->max_request_tokens());
  }
  return most;
}

bool SchedulerCore::IsInUse(absl::string_view model) const {
  return NumWorkersOf(model) > 0 ||
         std::any_of(requests_.begin(), requests_.end(),
                     [&](const auto& it) { return it.second->model == model; });
}

absl::Time SchedulerCore::NextTick() const {
  absl::Time next =
      timers_.empty() ? absl::InfiniteFuture() : timers_.begin()->first;
  for (const auto& [id, life] : lives_) {
    next = std::min({next, life.lease_until, life.result_due});
  }
  return next;
}

bool SchedulerCore::idle() const { return requests_.empty(); }

SchedulerSnapshot SchedulerCore::Snapshot() const {
  SchedulerSnapshot snapshot = {
      .term = options_.term,
      .policy = std::string{policy_->name()},
      .draining = draining_,
      .running = static_cast<int64_t>(requests_.size()) - queue_.size(),
      .waiting = queue_.size(),
      .waiting_tokens = queue_.tokens(),
      .max_queue_requests = options_.max_queue_requests,
      .max_queue_tokens = options_.max_queue_tokens,
      .counts = counts_};
  for (const auto& [name, model] : models_.models()) {
    snapshot.models.push_back(
        {.name = name,
         .weights_hash = model.weights_hash,
         .config = model.config,
         .workers = NumWorkersOf(name),
         .max_request_tokens = MaxRequestTokens(name).value_or(0)});
  }
  for (const auto& [id, worker] : workers_) {
    snapshot.workers.push_back(worker->Snapshot());
  }
  return snapshot;
}

void SchedulerCore::CheckInvariants() const {
  int64_t running = 0;
  for (const auto& [id, worker] : workers_) {
    worker->CheckInvariants();
    running += worker->num_running();
  }
  int64_t waiting = 0;
  for (const auto& [key, live] : requests_) {
    CHECK_NE(live->worker.has_value(), queue_.Contains(key))
        << "request " << key << " must be in the queue or on one worker";
    waiting += queue_.Contains(key);
    CHECK_LE(live->num_generated(), live->request.max_tokens);
  }
  CHECK_EQ(waiting, queue_.size());
  int64_t of_tenants = 0;
  for (const auto& [tenant, count] : live_of_tenant_) of_tenants += count;
  CHECK_EQ(of_tenants, static_cast<int64_t>(requests_.size()));
  CHECK_EQ(lives_.size(), workers_.size());
  CHECK_EQ(running + waiting, static_cast<int64_t>(requests_.size()));
}

}  // namespace hybridserve
