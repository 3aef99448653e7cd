#ifndef HYBRIDSERVE_SCHEDULER_RPC_WORKER_DIRECTORY_H_
#define HYBRIDSERVE_SCHEDULER_RPC_WORKER_DIRECTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/ids.h"
#include "common/strong_int.h"
#include "common/worker_info.h"

namespace hybridserve {

// One connection of a worker, registered or not yet.
using ConnectionId = StrongInt<struct ConnectionIdTag, uint64_t>;

// How far a worker is that has not registered.
struct LoadingWorkerState {
  std::string name;
  std::string model;
  std::string stage;
  int64_t loaded_bytes = 0;
  int64_t total_bytes = 0;
};

// Who is connected and who has shown that it works; from this follows what is
// healthy: a model is while one of its workers is ready, the server while a
// model is, and nothing is after Drain().
//
// Thread-safe.
class WorkerDirectory {
 public:
  // Sets the health of a model, or of the whole server for an empty name.
  // Called with changes only, one call at a time; must not call back.
  using HealthCallback =
      absl::AnyInvocable<void(const std::string& model, bool serving)>;

  // Health begins as not serving.
  explicit WorkerDirectory(HealthCallback set_health)
      : set_health_(std::move(set_health)) {}

  // A connection begins, tells how far it is, registers, works, leaves, ends.
  // Calls about one connection come in this order; each but the first and the
  // last may be left out.
  ConnectionId Connect(LoadingWorkerState state);
  void SetProgress(ConnectionId connection, LoadingWorkerState state);
  void SetRegistered(ConnectionId connection, WorkerId worker,
                     const WorkerInfo& info);
  void SetReady(ConnectionId connection);
  void SetLeaving(ConnectionId connection);
  void Disconnect(ConnectionId connection);

  // Nothing is healthy any more.
  void Drain();
  bool draining() const;

  // Waits for the first worker that is ready. False at `deadline`, or once
  // draining.
  bool WaitUntilReady(absl::Time deadline) const;

  std::vector<LoadingWorkerState> Loading() const;
  // What it registered, without its files; nothing if it is not connected.
  std::optional<WorkerInfo> FindInfo(WorkerId worker) const;
  bool IsReady(WorkerId worker) const;

 private:
  struct Entry {
    LoadingWorkerState loading;
    std::optional<WorkerId> worker;
    WorkerInfo info;  // Without files; if registered.
    bool ready = false;
    bool leaving = false;
  };

  const Entry* Find(WorkerId worker) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Tells the callback what has changed.
  void UpdateHealth() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  HealthCallback set_health_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_connection_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::btree_map<ConnectionId, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<std::string, bool> health_ ABSL_GUARDED_BY(mutex_);
  bool was_ready_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_WORKER_DIRECTORY_H_
