#ifndef HYBRIDSERVE_SCHEDULER_FLAGS_SCHEDULER_FLAGS_H_
#define HYBRIDSERVE_SCHEDULER_FLAGS_SCHEDULER_FLAGS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/policy/policy.h"

namespace hybridserve {

// The flags that say how requests are batched and cached: --policy,
// --max_running and the like (scheduler --help). Defined in
// scheduler_flags.cc, once, for the scheduler program and for the client's
// embedded mode. `term` is left to the caller.
//
// InvalidArgument naming the flag; Unimplemented for what is not built yet.
absl::StatusOr<SchedulerOptions> SchedulerOptionsFromFlags();
absl::StatusOr<std::unique_ptr<Policy>> PolicyFromFlags();

// The same with `name` and `act_ratio` ("auto" or a number) in place of
// --policy and --act_ratio: for those who compare policies.
absl::StatusOr<std::unique_ptr<Policy>> PolicyFromFlags(
    absl::string_view name, absl::string_view act_ratio);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_FLAGS_SCHEDULER_FLAGS_H_
