#ifndef HYBRIDSERVE_SCHEDULER_CORE_SCHEDULER_CORE_H_
#define HYBRIDSERVE_SCHEDULER_CORE_SCHEDULER_CORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/step_result.h"
#include "common/worker_info.h"
#include "common/worker_link.h"
#include "scheduler/core/live_request.h"
#include "scheduler/core/model_registry.h"
#include "scheduler/core/request.h"
#include "scheduler/core/snapshot.h"
#include "scheduler/core/worker_breaker.h"
#include "scheduler/core/worker_state.h"
#include "scheduler/policy/policy.h"
#include "scheduler/queue/drain_rate.h"
#include "scheduler/queue/request_queue.h"

namespace hybridserve {

struct SchedulerOptions {
  // This scheduler's incarnation: larger than that of any before.
  uint64_t term = 1;
  // Most sequences running on one worker; a worker's own limits (rows and
  // sampled sequences a step) may be lower.
  int64_t max_running = 256;
  // Most requests waiting, and most prompt + max_tokens among them. Requests
  // that a worker takes at once don't wait.
  int64_t max_queue_requests = 1024;
  int64_t max_queue_tokens = int64_t{1} << 22;
  // The part of the queue that one named tenant may fill (QueueLimits).
  double tenant_queue_share = 0.8;
  // A request is refused if it would wait for longer, as it is predicted from
  // how fast the queue was served of late.
  absl::Duration max_queue_wait = absl::InfiniteDuration();
  // Most prompt tokens in one step of one worker; where others decode the
  // policy may take fewer.
  int64_t prefill_chunk_tokens = 512;
  // Longest decode step that a worker's mix may predict: fewer sequences run,
  // and where they decode fewer prompt rows join them.
  absl::Duration max_step_time = absl::InfiniteDuration();
  // The share of its max_tokens that a request is expected to generate, in
  // [0, 1]; not set: what requests turn out to. The less, the more of them run
  // at once, and the sooner one has to give way.
  std::optional<double> expected_output;
  // How long a request waits while no connected worker can take it.
  absl::Duration failover_timeout = absl::Seconds(60);
  // What RESOURCE_EXHAUSTED and UNAVAILABLE ask their reader to wait at least;
  // a full queue asks for more where it is served slowly.
  absl::Duration retry_delay = absl::Seconds(1);
  // A request that saw this many workers lost may be what kills them: ABORTED.
  int64_t max_losses = 8;
  // A worker from which nothing comes for so long is lost.
  absl::Duration worker_lease = absl::InfiniteDuration();
  // Nor does one count as alive that owes the result of a step for so long,
  // whatever else it sends: it hangs.
  absl::Duration step_timeout = absl::InfiniteDuration();
  // When workers that keep failing are set aside.
  WorkerBreaker::Options breaker;
};

// Admits requests, gives their blocks slots on workers, makes every step's
// plan and hands tokens on (DESIGN.md 2 and 3). Plain data in and out: it
// knows neither RPC nor threads nor text.
//
// At most two plans are outstanding on a worker: plan t+1 is sent before
// result t, so a stop found in result t is corrected one step late; the extra
// token is never shown. A slot that a plan releases is in no table before the
// plan after it. Per model tenants take turns, a tenant's requests go by
// priority and then first come, first served (fair_lane.h): what comes after a
// request in that order does not overtake it on the workers that it could run
// on. Where a worker's slots run out
// a request goes back to the queue, to its place by age, and is replayed when
// there is room again (worker_state_slots.cc).
//
// Invariants, after every call: each live request is in the queue or on one
// worker; on each tier free half-slots, those of running sequences and those
// about to be released add up to the pool; an observer has had each token
// position once, in order.
//
// Thread-compatible: one thread owns it (core_thread.h).
class SchedulerCore {
 public:
  // `clock` outlives the core. Options are positive (max_queue_* may be 0).
  SchedulerCore(const SchedulerOptions& options, std::unique_ptr<Policy> policy,
                const Clock& clock);
  SchedulerCore(const SchedulerCore&) = delete;
  SchedulerCore& operator=(const SchedulerCore&) = delete;
  // Ends every live request with UNAVAILABLE and drops all links.
  ~SchedulerCore();

  // Queues a request or starts it. OK: `observer` hears of it, starting within
  // this call. Otherwise nothing changed, `observer` heard nothing, and:
  //   INVALID_ARGUMENT    a bad field (FieldOf(), common/status_details.h),
  //                       or more tokens than any worker's whole pool.
  //   NOT_FOUND           no such model.
  //   ALREADY_EXISTS      a live request has this request_id.
  //   DEADLINE_EXCEEDED   it passed before.
  //   RESOURCE_EXHAUSTED  the queue is full, or would hold it for too long, or
  //                       the tenant is at its limits (RetryDelayOf()).
  //   UNAVAILABLE         draining; or no worker yet, or a full queue and none
  //                       of the model's workers (RetryDelayOf()).
  absl::StatusOr<RequestKey> Submit(GenerationRequest request,
                                    std::unique_ptr<RequestObserver> observer);

  // Ends a request with OnFinished(kCancelled). It leaves the device with the
  // next plan and gives back every slot. False: no such live request.
  bool Cancel(RequestKey key);
  // As above, by its request_id.
  bool CancelById(absl::string_view request_id);

  // Registers a worker and starts sending it plans. The link is destroyed when
  // the worker is lost or removed. Otherwise nothing changed, and:
  //   INVALID_ARGUMENT     bad config.json, limits or pools, or less than the
  //                        policy needs.
  //   FAILED_PRECONDITION  the model's name is in use with other weights.
  //   UNAVAILABLE          a worker of this name failed too often and is set
  //                        aside for a while (RetryDelayOf()).
  absl::StatusOr<WorkerId> AddWorker(const WorkerInfo& info,
                                     std::unique_ptr<WorkerLink> link);

  // Takes a step's result. A stale one (another term or epoch) or one of an
  // unknown worker is dropped. A refused or malformed one, or one of another
  // step than the oldest outstanding plan's, loses the worker, as
  // RemoveWorker() does.
  void OnResult(WorkerId worker, StepResult result);

  // The worker lives, whether or not it has results. Unknown ids are ignored.
  void OnHeartbeat(WorkerId worker);

  // The worker is to go: it gets no more requests, and once those that it has
  // are done its link is destroyed. Unknown ids are ignored.
  void DrainWorker(WorkerId worker);

  // The worker is gone: its requests go back to the front of the queue and go
  // on elsewhere, in the same numerics class, with the same tokens. Unknown
  // ids are ignored.
  void RemoveWorker(WorkerId worker, const absl::Status& reason);

  // Ends what expired: requests, leases of workers and the time for steps. To
  // be called at NextTick() or later.
  void Tick();
  // When Tick() next has something to do; InfiniteFuture: never.
  absl::Time NextTick() const;

  // Refuses new requests from now on (UNAVAILABLE); those accepted finish.
  void Drain();
  // No request is live.
  bool idle() const;

  // Longest prompt + max_tokens that a connected worker of the model takes; not
  // set without one.
  std::optional<int64_t> MaxRequestTokens(absl::string_view model) const;

  SchedulerSnapshot Snapshot() const;

  // Crashes unless the invariants above hold. Debug builds call it themselves.
  void CheckInvariants() const;

 private:
  using Timer = std::pair<absl::Time, RequestKey>;
  struct WorkerLife {
    absl::Time added;
    absl::Time lease_until;
    // The oldest plan's result; InfiniteFuture: none is owed.
    absl::Time result_due = absl::InfiniteFuture();
  };

  LiveRequest* FindLive(RequestKey key);
  absl::Status CheckFits(const LiveRequest& live) const;
  absl::Status CheckTenantIsBelowLimits(const LiveRequest& live) const;
  absl::Status Enqueue(const LiveRequest& live);
  // How long the model's queue takes to serve so many tokens, if that is known.
  std::optional<absl::Duration> TimeToServe(absl::string_view model,
                                            int64_t tokens) const;
  // How long who is refused for want of room should wait: until a good part of
  // what waits has been served.
  absl::Duration RetryDelayFor(const LiveRequest& live) const;
  int64_t NumWorkersOf(absl::string_view model) const;
  // Those that don't drain.
  int64_t NumTakingWorkersOf(absl::string_view model) const;
  bool IsInUse(absl::string_view model) const;

  // Starts `live` on the least loaded worker that can take it, workers in
  // `full` excepted. Otherwise false, and `full` gains those that could have:
  // they are kept for it.
  bool Place(LiveRequest& live, const WaitingRequests& waiting,
             absl::flat_hash_set<WorkerId>& full);
  void AdmitLane(absl::string_view model);
  WaitingRequests WaitingOf(absl::string_view model) const;
  // Admits and sends plans until nothing more can be done.
  void Advance();

  void Deliver(WorkerState& worker, const SequenceResult& result);
  void DeliverToken(LiveRequest& live, const SequenceResult& result);
  void LoseWorker(WorkerId id, const absl::Status& reason);
  // Tells the breaker of a worker that is about to be lost, because of what it
  // sent or for no fault that is known.
  void JudgeLoss(const WorkerState& worker, bool misbehaved);
  void LetDrainedWorkersGo();
  void ExpireRequests(absl::Time now);
  void ExpireLeases(absl::Time now);
  // From when a plan is the oldest one, its result is awaited.
  void AwaitResult(const WorkerState& worker);
  void UpdateTimers(LiveRequest& live);
  void UpdateAllTimers();

  // Takes a request out of everything. The observer has still to be told.
  std::unique_ptr<LiveRequest> Remove(LiveRequest& live);
  void Finish(LiveRequest& live, FinishReason reason);
  void Fail(LiveRequest& live, const absl::Status& status);

  const SchedulerOptions options_;
  const std::unique_ptr<Policy> policy_;
  const Clock& clock_;

  ModelRegistry models_;
  RequestQueue queue_;
  absl::flat_hash_map<std::string, DrainRate> drain_rates_;  // By model.
  absl::flat_hash_map<RequestKey, std::unique_ptr<LiveRequest>> requests_;
  absl::flat_hash_map<std::string, RequestKey> keys_by_request_id_;
  absl::flat_hash_map<std::string, int64_t> live_of_tenant_;  // None is 0.
  absl::btree_map<WorkerId, std::unique_ptr<WorkerState>> workers_;
  absl::btree_map<WorkerId, WorkerLife> lives_;  // Of `workers_`.
  WorkerBreaker breaker_;
  absl::btree_set<Timer> timers_;  // LiveRequest::due of those that have one.

  uint64_t last_key_ = 0;
  uint64_t last_sequence_ = 0;
  uint64_t last_worker_ = 0;
  bool draining_ = false;
  RequestCounts counts_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_SCHEDULER_CORE_H_
