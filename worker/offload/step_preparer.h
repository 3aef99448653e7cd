#ifndef HYBRIDSERVE_WORKER_OFFLOAD_STEP_PREPARER_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_STEP_PREPARER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/step_plan.h"
#include "worker/offload/logit_change_builder.h"
#include "worker/offload/plan_validator.h"
#include "worker/offload/step_collector.h"
#include "worker/offload/step_limits.h"

namespace hybridserve {

// Turns plans into steps that can be issued, and knows every sequence's table
// and the token that it sampled last. Thread-compatible.
class StepPreparer {
 public:
  explicit StepPreparer(const StepLimits& limits)
      : validator_(limits), builder_(limits.vocab_size) {}

  // The plan as a step to issue, or one that carries its refusal.
  std::unique_ptr<IssuedStep> Prepare(const StepPlan& plan);

  // Tokens of the step's rows, recomputed ones aside. Those that the step
  // before samples must have been absorbed; Internal if one is missing.
  absl::StatusOr<std::vector<int32_t>> InputTokens(const IssuedStep& step);

  // Tells the rows of `step` that sample what becomes of which logits.
  // InputTokens() took the step, and no other plan was prepared since.
  absl::Status AddLogitChanges(IssuedStep& step);

  // Notes what sequences sampled.
  void Absorb(absl::Span<const SampledToken> sampled);

  // Forgets all sequences.
  void Clear() { validator_.table().Clear(); }

 private:
  PlanValidator validator_;
  LogitChangeBuilder builder_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_STEP_PREPARER_H_
