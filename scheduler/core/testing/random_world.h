#ifndef HYBRIDSERVE_SCHEDULER_CORE_TESTING_RANDOM_WORLD_H_
#define HYBRIDSERVE_SCHEDULER_CORE_TESTING_RANDOM_WORLD_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/ids.h"
#include "common/step_result.h"
#include "scheduler/core/request.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/snapshot.h"
#include "scheduler/core/testing/core_harness.h"
#include "scheduler/core/testing/fake_worker.h"
#include "scheduler/core/testing/recording_observer.h"

namespace hybridserve {

// How often a world saw what it is about.
struct WorldCounts {
  int64_t events = 0;
  int64_t finished = 0;
  int64_t cancelled = 0;
  int64_t expired = 0;     // Requests past their deadlines.
  int64_t stranded = 0;    // Requests that no worker came for.
  int64_t refused = 0;     // Requests, for whatever reason.
  int64_t queue_full = 0;  // Of those.
  int64_t replays = 0;
  int64_t preemptions = 0;
  int64_t converted = 0;  // Blocks.
  int64_t malformed = 0;  // Results that cost a worker its connection.
  int64_t drained = 0;    // Workers that were let go.
  int64_t silent = 0;     // Workers whose leases ended.
  int64_t hanging = 0;    // Workers that owed a result for too long.
  int64_t stale = 0;      // Results that were dropped.

  void Add(const WorldCounts& more);
};

// A scheduler's core among random events: requests come, are cancelled and
// expire; workers of two models and two numerics classes come, drain, go,
// refuse, hang, fall silent, and answer late, twice or nonsense; the clock
// jumps; the scheduler drains. An
// event is a number, which says all of it: any list of numbers is a history,
// also with some of them left out, so that a failing one can be shrunk.
//
// Beside the core stands a model of it, which says in plain terms what must
// be. What differs is a test failure:
//  - A request is taken, or refused with the code that the model has for it,
//    and with a delay where it may come back; the queue's bounds hold.
//  - Every request that was taken ends once, with the tokens that it would have
//    got alone, or the first of them (with RecordingObserver), and with a
//    reason that the model sees.
//  - After a tick nothing lives past its deadline, or past failover_timeout
//    without a worker that could take it, no worker past its lease or its time
//    for a step, and NextTick() is the next of those.
//  - Plans are sound (FakeWorker), no slot is lost (CheckInvariants()).
//  - A stale result changes nothing. Nonsense costs the worker, no request.
//
// Thread-compatible.
class RandomWorld {
 public:
  // `policy`: as --policy, or "converting". `shape` chooses the options.
  RandomWorld(const std::string& policy, uint64_t shape);

  void Apply(uint64_t event);
  // Gives every request a worker to end on, and checks what is left.
  void Settle();

  const WorldCounts& counts() const { return counts_; }

 private:
  struct Tracked {
    GenerationRequest request;
    int64_t stop_after = INT64_MAX;
    std::shared_ptr<RequestRecord> record;
    std::string build;  // Of the worker that gave the first token; or unknown.
    // Since when no worker could take it, for certain, and at the earliest: it
    // may run on one that drains.
    absl::Time stranded = absl::InfiniteFuture();
    absl::Time stranded_first = absl::InfiniteFuture();

    int64_t positions() const;
  };
  struct Worker {
    std::string model;
    std::string build;
    int64_t max_request_tokens = 0;
    absl::Time lease_until;
    absl::Time result_due = absl::InfiniteFuture();
    bool draining = false;
    bool hangs = false;  // It answers no plan,
    bool mute = false;   // and if it hangs, gives no other sign of life.
  };

  SchedulerOptions RandomOptions();
  int64_t Uniform(int64_t low, int64_t high);
  bool OneIn(int64_t times) { return Uniform(1, times) == 1; }
  template <typename T>
  const T& OneOf(const std::vector<T>& items) {
    return items[Uniform(0, static_cast<int64_t>(items.size()) - 1)];
  }
  absl::Time Now() { return harness_.clock().Now(); }

  void Submit();
  GenerationRequest RandomRequest();
  // Without regard to the queue: OK, or why it must be refused.
  absl::StatusCode CodeFor(const GenerationRequest& request);
  void CheckRefusal(const absl::Status& status, absl::StatusCode code,
                    bool queue_is_full, bool has_worker);
  void Cancel();
  void PassTime();
  // What a tick now does to workers.
  void ExpectExpiries();
  void AddWorker(const std::string& model, const std::string& build);
  void LoseWorker();
  void DrainWorker();
  void SendHeartbeats();
  void Step();
  // As Step(), but the result is nonsense.
  void StepBadly();
  void AnswerStale();

  // What holds after every event.
  void CheckTimes();
  // Drained workers go once they have nothing left; who owes a result is known.
  void UpdateWorkers();
  WorkerId AnyWorker();
  bool CanRun(const Tracked& tracked, const Worker& worker) const;
  // Of those that drain, or of those that don't.
  bool HasWorkerFor(const Tracked& tracked, bool draining) const;
  // Checks and drops the requests that have ended.
  void Forget();
  void CheckError(const Tracked& tracked);
  void CheckOutput(const Tracked& tracked) const;
  std::vector<WorkerId> WithPlans();
  void ExpectLost(WorkerId id);

  const std::string policy_;
  std::mt19937_64 random_;  // Of the event that is being applied.
  const SchedulerOptions options_;
  CoreHarness harness_;
  absl::btree_map<WorkerId, Worker> workers_;  // Those connected.
  absl::btree_map<RequestKey, Tracked> live_;
  std::vector<std::string> models_;  // That some worker has brought.
  uint64_t epoch_ = 0;
  bool draining_ = false;
  bool lost_worker_ = false;          // In this event.
  std::optional<WorkerId> answered_;  // In this event.
  WorldCounts counts_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_TESTING_RANDOM_WORLD_H_
