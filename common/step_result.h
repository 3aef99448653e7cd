#ifndef HYBRIDSERVE_COMMON_STEP_RESULT_H_
#define HYBRIDSERVE_COMMON_STEP_RESULT_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/ids.h"
#include "common/step_plan.h"
#include "common/token_score.h"
#include "common/top_token.h"
#include "common/work.h"

namespace hybridserve {

// What a step gave one sequence.
struct SequenceResult {
  SequenceId sequence;
  int32_t token = -1;  // The sampled id; -1 where the plan asked for none.
  float log_prob = 0;  // Of `token`, natural, if wanted.
  // In its place: as many as wanted, or as the vocabulary has.
  std::vector<TopToken> top;
  std::vector<TokenScore> scores;  // One a target that was not -1, in order.
};

// What a step cost, measured by the worker's own streams.
struct StepStats {
  absl::Duration wall;           // From the step's first op to its last.
  absl::Duration link_busy;      // Copy-in stream.
  absl::Duration copy_out_busy;  // Copy-out stream.
  absl::Duration compute_busy;   // Compute stream.
  int64_t weight_bytes = 0;      // Host to device.
  int64_t kv_bytes = 0;          // Host to device.
  int64_t act_bytes = 0;         // Host to device.
  int64_t other_in_bytes = 0;    // Embedding rows and parameters.
  int64_t write_back_bytes = 0;  // Device to host.
  int64_t rebuilt_tokens = 0;    // Rows rebuilt from ACT, a layer.
  int32_t mini_batches = 0;
  // What the streams did until this step's end and not in the step before:
  // copies that ran ahead for the next step are in here.
  PerWorkKind<WorkTotals> work;

  StepStats& operator+=(const StepStats& other);
};

struct StepResult {
  Fence fence;  // Of the plan.
  // Not OK: the plan was refused as a whole (InvalidArgument: a malformed
  // plan; FailedPrecondition: table hash mismatch, send full tables in a new
  // epoch; Internal: the device failed). `sequences` is then empty.
  absl::Status status;
  std::vector<SequenceResult> sequences;
  StepStats stats;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_STEP_RESULT_H_
