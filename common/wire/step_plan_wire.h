#ifndef HYBRIDSERVE_COMMON_WIRE_STEP_PLAN_WIRE_H_
#define HYBRIDSERVE_COMMON_WIRE_STEP_PLAN_WIRE_H_

#include "absl/status/statusor.h"
#include "common/step_plan.h"

namespace hybridserve {
namespace worker::v1 {
class Fence;
class StepPlan;
}  // namespace worker::v1

// Fences. Every value is legal.
void FenceToWire(const Fence& fence, worker::v1::Fence& wire);
Fence FenceFromWire(const worker::v1::Fence& wire);

// Plans, without their fence, which travels beside them. Fills an empty `wire`.
void StepPlanToWire(const StepPlan& plan, worker::v1::StepPlan& wire);

// InvalidArgument, naming the field, for what no plan can say whatever the
// worker's state: unknown enums, negative counts, lengths that disagree, a
// sequence that is in two mini-batches or in none.
absl::StatusOr<StepPlan> StepPlanFromWire(const Fence& fence,
                                          const worker::v1::StepPlan& wire);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WIRE_STEP_PLAN_WIRE_H_
