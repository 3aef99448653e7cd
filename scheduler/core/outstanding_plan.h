#ifndef HYBRIDSERVE_SCHEDULER_CORE_OUTSTANDING_PLAN_H_
#define HYBRIDSERVE_SCHEDULER_CORE_OUTSTANDING_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/ids.h"
#include "common/step_plan.h"
#include "common/step_result.h"

namespace hybridserve {

// What the result of a plan must hold for one sequence.
struct ExpectedResult {
  SequenceId sequence;
  int32_t num_new = 0;
  bool is_prefill = false;
  bool sample = false;
  int64_t num_top = 0;  // At most.
  int64_t num_scores = 0;

  static ExpectedResult Of(const StepSequence& step, bool is_prefill);
};

// A plan that a worker has, until its result comes.
struct OutstandingPlan {
  Fence fence;
  std::vector<ExpectedResult> sequences;

  // Of prompts.
  int64_t num_prefill_tokens() const;
};

// What `result` gave each sequence of `plan`, in the plan's order, checked
// against what was asked for: a worker is not believed what can't be. The
// step's own error, or Internal ("bad step result: sequence S ...").
absl::StatusOr<std::vector<SequenceResult>> MatchResult(
    const OutstandingPlan& plan, int64_t vocab_size, StepResult result);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_OUTSTANDING_PLAN_H_
