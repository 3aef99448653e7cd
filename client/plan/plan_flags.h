#ifndef HYBRIDSERVE_CLIENT_PLAN_PLAN_FLAGS_H_
#define HYBRIDSERVE_CLIENT_PLAN_PLAN_FLAGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/plan/plan_command.h"

namespace hybridserve {

// What the flags of `hybridserve plan` say: those of bench, worker and
// scheduler. `model` is --model. The format is left to the caller.
//
// InvalidArgument naming the flag; Unimplemented for what is not built yet.
absl::StatusOr<PlanCommandOptions> PlanCommandFromFlags(
    const std::string& model);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_PLAN_PLAN_FLAGS_H_
