#include "scheduler/rpc/worker_directory.h"

#include "glog/logging.h"

namespace hybridserve {

ConnectionId WorkerDirectory::Connect(LoadingWorkerState state) {
  absl::MutexLock lock(&mutex_);
  const ConnectionId connection(++last_connection_);
  entries_[connection].loading = std::move(state);
  return connection;
}

void WorkerDirectory::SetProgress(ConnectionId connection,
                                  LoadingWorkerState state) {
  absl::MutexLock lock(&mutex_);
  const auto it = entries_.find(connection);
  CHECK(it != entries_.end()) << connection;
  it->second.loading = std::move(state);
}

void WorkerDirectory::SetRegistered(ConnectionId connection, WorkerId worker,
                                    const WorkerInfo& info) {
  absl::MutexLock lock(&mutex_);
  const auto it = entries_.find(connection);
  if (it == entries_.end()) return;  // It has gone meanwhile.
  it->second.worker = worker;
  it->second.info = info;
  it->second.info.files = {};
  UpdateHealth();
}

void WorkerDirectory::SetReady(ConnectionId connection) {
  absl::MutexLock lock(&mutex_);
  const auto it = entries_.find(connection);
  if (it == entries_.end()) return;  // It has gone meanwhile.
  it->second.ready = true;
  was_ready_ = true;
  UpdateHealth();
}

void WorkerDirectory::SetLeaving(ConnectionId connection) {
  absl::MutexLock lock(&mutex_);
  const auto it = entries_.find(connection);
  if (it == entries_.end()) return;  // It has gone meanwhile.
  it->second.leaving = true;
  UpdateHealth();
}

void WorkerDirectory::Disconnect(ConnectionId connection) {
  absl::MutexLock lock(&mutex_);
  entries_.erase(connection);
  UpdateHealth();
}

void WorkerDirectory::Drain() {
  absl::MutexLock lock(&mutex_);
  draining_ = true;
  UpdateHealth();
}

bool WorkerDirectory::draining() const {
  absl::MutexLock lock(&mutex_);
  return draining_;
}

bool WorkerDirectory::WaitUntilReady(absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  const auto decided = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return was_ready_ || draining_;
  };
  mutex_.AwaitWithDeadline(absl::Condition(&decided), deadline);
  return was_ready_ && !draining_;
}

std::vector<LoadingWorkerState> WorkerDirectory::Loading() const {
  absl::MutexLock lock(&mutex_);
  std::vector<LoadingWorkerState> loading;
  for (const auto& [connection, entry] : entries_) {
    if (!entry.worker.has_value()) loading.push_back(entry.loading);
  }
  return loading;
}

std::optional<WorkerInfo> WorkerDirectory::FindInfo(WorkerId worker) const {
  absl::MutexLock lock(&mutex_);
  const Entry* entry = Find(worker);
  if (entry == nullptr) return std::nullopt;
  return entry->info;
}

bool WorkerDirectory::IsReady(WorkerId worker) const {
  absl::MutexLock lock(&mutex_);
  const Entry* entry = Find(worker);
  return entry != nullptr && entry->ready;
}

const WorkerDirectory::Entry* WorkerDirectory::Find(WorkerId worker) const {
  for (const auto& [connection, entry] : entries_) {
    if (entry.worker == worker) return &entry;
  }
  return nullptr;
}

void WorkerDirectory::UpdateHealth() {
  absl::btree_map<std::string, bool> health = health_;
  for (auto& [model, serving] : health) serving = false;
  for (const auto& [connection, entry] : entries_) {
    if (!entry.worker.has_value()) continue;
    const bool serving = entry.ready && !entry.leaving && !draining_;
    health[entry.info.model_name] |= serving;
    health[""] |= serving;
  }
  for (const auto& [model, serving] : health) {
    const auto [it, added] = health_.insert({model, false});
    if (added || it->second != serving) set_health_(model, serving);
    it->second = serving;
  }
}

}  // namespace hybridserve
