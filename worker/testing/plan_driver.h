#ifndef HYBRIDSERVE_WORKER_TESTING_PLAN_DRIVER_H_
#define HYBRIDSERVE_WORKER_TESTING_PLAN_DRIVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/cache/half_slot_pool.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "worker/offload/step_limits.h"

namespace hybridserve {

// What a test asks of one sequence.
struct DriverRequest {
  std::vector<int32_t> prompt;
  int max_new = 0;  // Tokens to sample; 0: only run (or score) the prompt.
  SamplingParams sampling;
  std::vector<int32_t> score_targets;  // One a prompt token, or empty.
  int first_step = 0;                  // Joins with this step at the earliest.
  int cancel_after = 0;  // > 0: released after so many of its steps.
};

struct DriverOutput {
  std::vector<int32_t> tokens;
  std::vector<float> log_probs;
  std::vector<std::vector<TopToken>> top;  // One a token.
  std::vector<TokenScore> scores;
};

struct DriverOptions {
  double act_ratio = 0;          // ACT share of a sequence's other blocks.
  double recompute_ratio = 0;    // TOKENS share of a sequence's blocks.
  int chunk_tokens = 1000;       // Prompt tokens a sequence runs in a step.
  int max_mini_batch = 1000;     // Sequences in a mini-batch.
  bool use_device_pool = false;  // Every other block, while it has room.
  int convert_blocks = 0;        // ACT that becomes KV in a step, at most.
  int in_flight = 2;             // Plans sent ahead of the last result.
  StepSchedule schedule = StepSchedule::kOverlapped;
  uint64_t epoch = 1;
};

// A small scheduler for tests: runs requests to their lengths on whatever takes
// plans, sending step t + 1 before the result of t. Tells itself by a status
// what went wrong. Results come in by OnResult(), from any thread.
class PlanDriver {
 public:
  PlanDriver(const StepLimits& limits, const DriverOptions& options,
             std::function<void(StepPlan)> submit);

  // Runs all requests; outputs in their order. Afterwards every half-slot is
  // free again (CHECKed).
  std::vector<DriverOutput> Run(const std::vector<DriverRequest>& requests);

  void OnResult(StepResult result);

  // Of the last Run(): the first status that was not OK; sums of all stats.
  absl::Status status() const;
  StepStats total_stats() const;
  int64_t num_converted() const { return num_converted_; }
  int64_t num_steps() const { return static_cast<int64_t>(next_step_) - 1; }
  // Tables as they were at the end, for tests that look into the cache.
  const std::vector<std::vector<BlockRef>>& last_tables() const {
    return last_tables_;
  }
  // Keeps finished sequences' blocks unreleased until the last one is done.
  void set_keep_blocks(bool keep) { keep_blocks_ = keep; }

 private:
  struct Running {
    size_t request = 0;
    SequenceId id;
    std::vector<BlockRef> blocks;
    int num_done = 0;  // Positions that were planned.
    int num_sampled = 0;
    int num_steps = 0;
    bool table_sent = false;
  };

  void Admit(const std::vector<DriverRequest>& requests, int step);
  bool AllocateBlocks(int64_t positions, std::vector<BlockRef>& blocks);
  void FreeBlocks(const std::vector<BlockRef>& blocks);
  StepPlan MakePlan(const std::vector<DriverRequest>& requests);
  void AddSequence(const DriverRequest& request, Running& running, int rows,
                   StepPlan& plan);
  void AddMiniBatches(StepPlan& plan) const;
  // Turns whole ACT blocks of the plan's sequences into KV.
  void AddConversions(StepPlan& plan);
  void ConvertBlocks(Running& running, int64_t num_cached, int& budget,
                     StepPlan& plan, std::vector<BlockRef>& left);
  // Half-slots of a block of `kind`; nullopt: there are none.
  std::optional<BlockRef> AllocateBlock(CacheKind kind, bool prefer_device);
  void ReleaseFinished(const std::vector<DriverRequest>& requests);

  const StepLimits limits_;
  const DriverOptions options_;
  const std::function<void(StepPlan)> submit_;
  HalfSlotPool host_;
  HalfSlotPool device_;
  bool keep_blocks_ = false;
  uint64_t next_step_ = 1;
  uint64_t next_id_ = 1;
  std::vector<size_t> waiting_;  // Request indices.
  std::vector<Running> running_;
  std::vector<Running> finished_;  // To be released by the next plan.
  int64_t num_converted_ = 0;
  std::map<SequenceId, size_t> request_of_;
  std::vector<std::vector<BlockRef>> last_tables_;

  mutable absl::Mutex mutex_;
  int64_t num_results_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  StepStats stats_ ABSL_GUARDED_BY(mutex_);
  std::vector<StepResult> results_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_TESTING_PLAN_DRIVER_H_
