#ifndef HYBRIDSERVE_COMMON_WIRE_STEP_RESULT_WIRE_H_
#define HYBRIDSERVE_COMMON_WIRE_STEP_RESULT_WIRE_H_

#include "absl/status/statusor.h"
#include "common/step_result.h"

namespace hybridserve {
namespace worker::v1 {
class StepResult;
}  // namespace worker::v1

// Results, without their fence, which travels beside them. Fills an empty
// `wire`. Durations are rounded to nanoseconds.
void StepResultToWire(const StepResult& result, worker::v1::StepResult& wire);

// InvalidArgument, naming the field, for an unknown status code, negative
// tokens, costs or counts, and for sequences beside a status that isn't OK.
// Log-probs are whatever they are: NaN, too, is a device's answer.
absl::StatusOr<StepResult> StepResultFromWire(
    const Fence& fence, const worker::v1::StepResult& wire);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WIRE_STEP_RESULT_WIRE_H_
