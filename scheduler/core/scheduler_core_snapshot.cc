#include <algorithm>
#include <string>

#include "glog/logging.h"
#include "scheduler/core/scheduler_core.h"

// What looks at the core's state without changing it.

namespace hybridserve {

SchedulerSnapshot SchedulerCore::Snapshot() const {
  SchedulerSnapshot snapshot = {
      .term = options_.term,
      .policy = std::string(policy_->name()),
      .draining = draining_,
      .running = static_cast<int64_t>(requests_.size()) - queue_.size(),
      .waiting = queue_.size(),
      .waiting_tokens = queue_.tokens(),
      .max_queue_requests = options_.max_queue_requests,
      .max_queue_tokens = options_.max_queue_tokens,
      .counts = counts_};
  for (const auto& [name, model] : models_.models()) {
    snapshot.models.push_back({.name = name,
                               .weights_hash = model.weights_hash,
                               .config = model.config});
  }
  for (const auto& [id, worker] : workers_) {
    snapshot.workers.push_back(worker->Snapshot());
    for (ModelSnapshot& model : snapshot.models) {
      if (model.name != worker->info().model_name) continue;
      ++model.workers;
      model.max_request_tokens =
          std::max(model.max_request_tokens, worker->max_request_tokens());
    }
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
  CHECK_EQ(running + waiting, static_cast<int64_t>(requests_.size()));
}

}  // namespace hybridserve
