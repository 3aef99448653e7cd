#ifndef HYBRIDSERVE_SCHEDULER_CORE_TESTING_FAKE_WORKER_H_
#define HYBRIDSERVE_SCHEDULER_CORE_TESTING_FAKE_WORKER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/ids.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "common/worker_info.h"
#include "common/worker_link.h"

namespace hybridserve {

// A worker for tests: no device, no model. A sequence's next token is a hash of
// all its tokens, its seed and the numerics class, so that a lost, repeated or
// misplaced token changes all that follow.
//
// It checks every plan as it is sent and reports what breaks the contract of
// common/step_plan.h as a test failure: fences in order, at most two plans
// outstanding, no half-slot in two tables or in use in the plan that releases
// or converts it, tables that cover the positions, positions without gap,
// limits kept, every sequence in one mini-batch that fits the staging buffer.
//
// Plans run when RunNext() is called. Thread-compatible.
class FakeWorker {
 public:
  // `info` as FakeWorkerInfo() makes it. `prefill_chunk_tokens` bounds prompt
  // rows a step.
  explicit FakeWorker(WorkerInfo info, int64_t prefill_chunk_tokens = 512);
  FakeWorker(const FakeWorker&) = delete;
  FakeWorker& operator=(const FakeWorker&) = delete;

  const WorkerInfo& info() const { return info_; }

  // The scheduler's end; may outlive this. Once.
  std::unique_ptr<WorkerLink> MakeLink();
  // The scheduler has not destroyed the link.
  bool connected() const { return connection_->open; }

  int64_t outstanding() const {
    return static_cast<int64_t>(connection_->outstanding.size());
  }
  // Sent and not run, in order.
  const std::deque<StepPlan>& outstanding_plans() const {
    return connection_->outstanding;
  }
  // The newest plan; one must have been sent.
  const StepPlan& last_plan() const { return connection_->last_plan; }
  int64_t num_plans() const { return connection_->num_plans; }
  // Sequences with a table, and half-slots in tables.
  int64_t num_sequences() const;
  int64_t num_used_half_slots() const;
  // ACT blocks that plans turned into KV.
  int64_t num_converted() const { return num_converted_; }

  // Runs the oldest outstanding plan, of which there is one.
  StepResult RunNext();
  // Refuses it.
  StepResult FailNext(const absl::Status& status);

 private:
  struct Sequence {
    std::vector<BlockRef> table;
    int64_t num_scheduled = 0;
    bool sampled_last = false;    // In the last plan sent that had it.
    std::vector<int32_t> tokens;  // Of the plans run.
    int32_t sampled = -1;         // In the last plan run that had it.
  };
  using Slot = std::pair<Tier, HalfSlot>;

  // What the link shares with the worker, whichever dies first.
  struct Connection {
    FakeWorker* worker = nullptr;  // Null once the worker is gone.
    bool open = true;
    std::deque<StepPlan> outstanding;
    StepPlan last_plan;
    int64_t num_plans = 0;
  };
  class Link;

 public:
  ~FakeWorker();

 private:
  void Check(const StepPlan& plan);
  void CheckReleases(const StepPlan& plan, std::set<Slot>& released);
  void CheckTables(const StepPlan& plan, const std::set<Slot>& released);
  void CheckSequence(const StepSequence& step);
  void CheckLimits(const StepPlan& plan);
  void CheckMiniBatches(const StepPlan& plan);
  // Takes new half-slots, then gives up the old ones.
  void CheckConversions(const StepPlan& plan, const std::set<Slot>& released);
  void Take(Tier tier, HalfSlot half_slot, const std::set<Slot>& released);
  int64_t Staged(const StepSequence& step) const;
  int64_t Recomputed(const StepSequence& step) const;
  SequenceResult Run(const StepSequence& step);

  const WorkerInfo info_;
  const int64_t prefill_chunk_tokens_;
  const int64_t vocab_size_;
  const int64_t max_positions_;
  const std::shared_ptr<Connection> connection_;
  uint64_t term_ = 0;  // Of the first plan.
  absl::btree_map<SequenceId, Sequence> sequences_;
  // Released by a plan that has not run.
  absl::btree_map<SequenceId, Sequence> leaving_;
  std::set<Slot> used_;
  int64_t num_converted_ = 0;
};

struct FakeWorkerOptions {
  std::string name;
  std::string model_name = "demo";
  std::string weights_hash = "hash";
  std::string build_id = "build";  // Another one is another numerics class.
  uint64_t epoch = 1;
  int32_t device_half_slots = 8;
  int32_t host_half_slots = 120;
  int32_t block_tokens = 4;
  int32_t staging_half_slots = 48;  // One sequence of max positions, all ACT.
  int32_t max_step_tokens = 32;
  int32_t max_logit_rows = 16;
  int32_t max_recomputed_tokens = 64;
  int64_t vocab_size = 100;
  int64_t max_positions = 64;
  double gemm_flops_per_second = 2e6;  // Its link moves 1e6 bytes a second.
};

// What such a worker registers: a small OPT model whose eos is id 2.
WorkerInfo FakeWorkerInfo(const FakeWorkerOptions& options = {});

// The token that a FakeWorker samples after `tokens`, in [0, vocab_size), and
// the log-prob that it gives `token` there.
int32_t FakeToken(absl::Span<const int32_t> tokens, uint64_t seed,
                  const NumericsClass& numerics, int64_t vocab_size);
float FakeLogProb(absl::Span<const int32_t> tokens, int32_t token,
                  const NumericsClass& numerics);
TokenScore FakeScore(absl::Span<const int32_t> tokens, int32_t token,
                     const NumericsClass& numerics);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_TESTING_FAKE_WORKER_H_
