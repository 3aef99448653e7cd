#ifndef HYBRIDSERVE_SCHEDULER_FLAGS_SCHEDULER_FLAGS_H_
#define HYBRIDSERVE_SCHEDULER_FLAGS_SCHEDULER_FLAGS_H_

#include <memory>
#include <string>

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
// InvalidArgument naming the flag.
absl::StatusOr<SchedulerOptions> SchedulerOptionsFromFlags();
absl::StatusOr<std::unique_ptr<Policy>> PolicyFromFlags();

// The flags that name a policy, as text.
struct PolicyFlags {
  std::string name = "hybrid";  // --policy
  std::string act_ratio = "auto";
  // Empty: the policy's default.
  std::string recompute_ratio = {};
  std::string percent = {};
  std::string flexgen_relay = {};
};

// The same with these in place of the flags: for those who compare policies.
absl::StatusOr<std::unique_ptr<Policy>> PolicyFromFlags(
    const PolicyFlags& flags);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_FLAGS_SCHEDULER_FLAGS_H_
