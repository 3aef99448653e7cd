#ifndef HYBRIDSERVE_WORKER_OFFLOAD_PLAN_VALIDATOR_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_PLAN_VALIDATOR_H_

#include "absl/status/statusor.h"
#include "common/step_plan.h"
#include "worker/offload/sequence_table.h"
#include "worker/offload/step_layout.h"
#include "worker/offload/step_limits.h"

namespace hybridserve {

// Stands between plans from outside and the engine: nothing in a StepPlan,
// however wrong, reaches the engine unchecked. Fences are not its business.
// Thread-compatible.
class PlanValidator {
 public:
  explicit PlanValidator(const StepLimits& limits)
      : limits_(limits), table_(limits) {}

  // Checks the plan, applies its releases and table updates, lays it out and
  // applies its conversions.
  // All or nothing: on an error, which names the field and the sequence, the
  // tables are as they were. InvalidArgument: malformed; FailedPrecondition:
  // a table hash mismatch.
  absl::StatusOr<StepLayout> Accept(const StepPlan& plan);

  SequenceTable& table() { return table_; }

 private:
  // What can be said of a plan without the tables.
  absl::Status CheckCounts(const StepPlan& plan) const;
  absl::Status CheckSequence(const StepSequence& sequence) const;
  absl::Status CheckMiniBatches(const StepPlan& plan) const;
  // A sequence against its table; then counts its new rows as written.
  absl::Status AcceptSequence(const StepSequence& sequence);
  absl::StatusOr<StepLayout> AcceptAfterUpdates(const StepPlan& plan);

  const StepLimits limits_;
  SequenceTable table_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_PLAN_VALIDATOR_H_
