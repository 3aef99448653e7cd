#ifndef HYBRIDSERVE_SCHEDULER_CORE_WORKER_STATE_H_
#define HYBRIDSERVE_SCHEDULER_CORE_WORKER_STATE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/ids.h"
#include "common/model_config.h"
#include "common/step_result.h"
#include "common/worker_info.h"
#include "common/worker_link.h"
#include "scheduler/core/live_request.h"
#include "scheduler/core/outstanding_plan.h"
#include "scheduler/core/running_sequence.h"
#include "scheduler/core/slot_allocator.h"
#include "scheduler/core/snapshot.h"
#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/conversion.h"
#include "scheduler/policy/output_tracker.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/pool_forecast.h"
#include "scheduler/policy/profile_tracker.h"
#include "scheduler/policy/step_cost.h"
#include "scheduler/policy/step_roster.h"
#include "scheduler/queue/request_key.h"

namespace hybridserve {

// The limits on every worker that are the scheduler's own.
struct WorkerLimits {
  int64_t max_running = 256;
  int64_t prefill_chunk_tokens = 512;                       // A step.
  absl::Duration max_step_time = absl::InfiniteDuration();  // Predicted.
  // The share of max_tokens that requests are expected to generate, in [0, 1];
  // not set: as they do.
  std::optional<double> expected_output;
};

// Requests that may join those on a worker.
struct WaitingRequests {
  int64_t sequences = 0;
  int64_t final_tokens = 0;  // Prompts and max_tokens, of all.
};

// The scheduler's side of one worker: the sequences that run there, the slots
// they hold, the plans on their way. Sequences take slots as they grow; where
// none are left, some of them give way (worker_state_slots.cc).
//
// Every slot is free, held by a running sequence, or held by a released one
// whose release no plan has told yet. Thread-compatible.
class WorkerState {
 public:
  // `policy` outlives this; `info` is valid (worker_info_validator.h).
  WorkerState(WorkerId id, uint64_t term, WorkerInfo info,
              const ModelConfig& config, std::unique_ptr<WorkerLink> link,
              const WorkerLimits& limits, const Policy& policy);

  WorkerId id() const { return id_; }
  const WorkerInfo& info() const { return info_; }
  int64_t num_running() const { return static_cast<int64_t>(running_.size()); }
  int64_t num_free() const { return slots_.num_free(); }
  // A client has had a token from it.
  bool has_generated() const { return totals_.generated_tokens > 0; }
  int64_t num_generated() const { return totals_.generated_tokens; }

  // From now on it takes no request; those that run here go on.
  void StartDraining() { draining_ = true; }
  bool is_draining() const { return draining_; }

  int64_t max_running() const { return max_running_; }

  // Longest request (LiveRequest::max_positions()) that it takes when idle.
  int64_t max_request_tokens() const { return max_request_tokens_; }

  // It may run `live` here, now or when others have left. Nothing while it
  // drains.
  bool CanEverTake(const LiveRequest& live) const;

  // Starts `live`, which CanEverTake(), as `sequence`; `waiting` is the part of
  // the queue that may join it here, for the choice of the mix. False, starting
  // nothing, if slots are wanting, now or as far as can be foreseen, or if the
  // mix is for no more sequences than run. Where nothing runs and no slot is to
  // be released, true. Sets live's worker and sequence.
  bool Admit(SequenceId sequence, LiveRequest& live,
             const WaitingRequests& waiting);

  // Tells which requests wait for a place here, for the next plans and mixes.
  void SetWaiting(const WaitingRequests& waiting) { waiting_ = waiting; }

  // Ends a sequence. Its slots are free once a plan has told the worker.
  void Release(SequenceId sequence);

  // Gives every sequence the slots for its next rows, if a plan may be sent.
  // Where they are wanting, drops sequences, as Release() does, and returns
  // their requests: no worker has them, and they have to run again. It never
  // drops that of the oldest request.
  std::vector<LiveRequest*> MakeRoom();

  // The sequence, or nullptr if it runs here no more.
  RunningSequence* Find(SequenceId sequence);
  // Oldest request first.
  const absl::btree_map<RequestKey, RunningSequence>& running() const {
    return running_;
  }

  // Sends a plan if fewer than two are outstanding and there is something to
  // run or to release. Returns whether it did.
  bool SendPlan();

  // Takes the result of the oldest outstanding plan, of no other. Returns what
  // it gave each sequence that the plan ran, in the plan's order, released ones
  // included. An error means that the worker can't go on.
  absl::StatusOr<std::vector<SequenceResult>> TakeResult(StepResult result);
  // Of another term or epoch: not an answer to any plan sent to it.
  bool IsOfOthers(const StepResult& result) const;
  int64_t num_outstanding() const {
    return static_cast<int64_t>(outstanding_.size());
  }
  // Tells its other end that it has produced a token.
  void TellProven() { link_->OnProven(); }

  void CountGeneratedToken() { ++totals_.generated_tokens; }
  // A request that ran here ended by itself.
  void CountOutput(int64_t generated, int64_t max_tokens) {
    output_tracker_.Add(generated, max_tokens);
  }

  WorkerSnapshot Snapshot() const;
  // Crashes if slots are lost.
  void CheckInvariants() const;

 private:
  // Plan t+1 is sent before result t.
  static constexpr size_t kMaxOutstandingPlans = 2;

  struct Released {
    SequenceId sequence;
    std::vector<BlockRef> blocks;
  };

  // The kinds that a sequence gets under the mix, steering the pool towards it.
  std::vector<CacheKind> KindsFor(int64_t positions) const;
  // Of a sequence's blocks, so many are TOKENS.
  int64_t NumRecomputed(int64_t num_blocks) const;
  // So many blocks, of which a share `act_ratio` of those kept is ACT; the
  // first ones are TOKENS as far as the policy and the worker's limit go.
  std::vector<CacheKind> SpreadWithPrefix(double act_ratio,
                                          int64_t num_blocks) const;
  // The worker may recompute the TOKENS blocks of `kinds` besides those of what
  // runs, all in one step.
  bool CanRecompute(const std::vector<CacheKind>& kinds) const;
  // Blocks of a kind that has not crossed the link or not been rebuilt for
  // long. One, or as many as cost what a piece costs whatever its size: less
  // would say little of the cost by size.
  struct Probe {
    CacheKind kind = CacheKind::kKv;
    double blocks = 1;
  };
  static constexpr DeviceShares kProbesOnHost = {.kv_blocks = 0,
                                                 .act_blocks = 0};
  std::optional<Probe> DueProbe() const;
  // Makes the first of `kinds` the due probe's. Returns how many; 0: none is
  // due, or it does not fit.
  int64_t AddProbe(std::vector<CacheKind>& kinds) const;
  // Chooses the kinds of all blocks that no plan has told yet by the mix of
  // now. Those who came first came under a mix for few.
  void SpreadAnew();
  // Gives a sequence other kinds, equal where plans have told them; its old
  // ones where slots are wanting.
  void ChangeKinds(RunningSequence& sequence, std::vector<CacheKind> kinds);
  // The mix's, where the device can't hold all.
  DeviceShares SharesOfDevice() const;
  bool FitsIdle(const std::vector<CacheKind>& kinds) const;
  int64_t FindMaxRequestTokens() const;
  // With blocks of these kinds, the first `num_probes` on the host where that
  // has room. All or nothing, as Admit() does.
  bool Start(SequenceId sequence, LiveRequest& live, int64_t num_probes,
             std::vector<CacheKind> kinds);
  // As far as can be foreseen, slots won't be wanting if this one joins.
  bool HasRoomFor(const Footprint& joining) const;
  // Takes `num_blocks` more blocks for a sequence. False, taking none, if there
  // are not so many.
  bool Grow(RunningSequence& sequence, int64_t num_blocks,
            const DeviceShares& shares);
  // Gives sequences what they want, oldest first. Returns the half-slots that
  // are wanting.
  int64_t GrowAll();
  // The sequences here, `joining` (null: none) and as many waiting ones as may
  // run along, on average.
  Workload WorkloadWith(const LiveRequest* joining) const;
  // Chooses the mix anew if it is not for such a workload.
  void UpdateMix(const Workload& workload);
  // One decode step of what runs now, with the blocks as they lie.
  StepTime PredictNow() const;
  StepSnapshot MakeStepSnapshot() const;
  // Turns ACT blocks into KV with the plan, which was made of the roster.
  // Returns where they were, to be freed once the plan is sent.
  std::vector<BlockRef> AddConversions(
      const StepSnapshot& snapshot, const StepRoster& roster,
      absl::Span<RunningSequence* const> sequences, StepPlan& plan);

  const WorkerId id_;
  const uint64_t term_;
  const WorkerInfo info_;
  const ModelConfig config_;
  const std::unique_ptr<WorkerLink> link_;
  const WorkerLimits limits_;
  const Policy& policy_;
  CostModel costs_;  // As of `mix_`.
  ProfileTracker tracker_;
  int64_t max_running_;
  SlotAllocator slots_;
  int64_t max_request_tokens_ = 0;

  absl::btree_map<RequestKey, RunningSequence> running_;
  absl::flat_hash_map<SequenceId, RequestKey> keys_;  // Of `running_`.
  int64_t full_half_slots_ = 0;     // Of `running_`, at max_tokens.
  int64_t wanting_half_slots_ = 0;  // GrowAll()'s last answer.
  bool draining_ = false;
  // A request was refused for want of room since the last plan.
  bool room_wanted_ = false;
  OutputTracker output_tracker_;
  double context_tokens_ = 0;       // Of `running_`, on average.
  int64_t final_tokens_ = 0;        // Of `running_`, at their ends.
  WaitingRequests waiting_;         // When last told.
  std::vector<Released> released_;  // For the next plan.
  std::deque<OutstandingPlan> outstanding_;
  uint64_t next_step_ = 1;
  CacheMix mix_;
  Workload mix_workload_;       // What `mix_` was chosen for.
  int64_t steps_with_mix_ = 0;  // Results since then.
  int64_t last_probe_ = 0;      // totals_.steps then.
  WorkerTotals totals_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_WORKER_STATE_H_
