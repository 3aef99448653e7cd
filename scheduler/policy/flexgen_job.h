#ifndef HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_JOB_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_JOB_H_

#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/flexgen_cost.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// A worker's model and workload in the terms of FlexGen's cost model. That
// counts in 2-byte elements: `hidden` is such that a K and V row has 4 h1
// bytes, whatever the dtype. Of weights only those that the worker streams are
// open.
FlexGenJob FlexGenJobOf(const CostModel& costs, const Workload& workload);

// The worker's measured costs as FlexGen's rates, memory left at 0. Causal
// attention does half of a prompt's pairs. Attention on the host is as good as
// free.
FlexGenHardware FlexGenHardwareOf(const CostModel& costs,
                                  const FlexGenJob& job);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_JOB_H_
