#ifndef HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_FORMS_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_FORMS_H_

#include <cstdint>
#include <optional>

#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/flexgen_percents.h"
#include "scheduler/policy/flexgen_search.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// What FlexGen would have to place, and where.
struct FlexGenMachine {
  int64_t num_heads = 0;
  int64_t layer_bytes = 0;   // Weights of a layer, wherever they are now.
  int64_t device_bytes = 0;  // For weights, cache and working set.
  int64_t host_bytes = 0;
  // The device computes with the host's cores: what attention costs there is
  // what it was measured to cost.
  bool host_attends = false;
};

// The whole policy that FlexGen's linear program chooses, weights included, by
// its own cost model in both forms (PAPER.md 2.3). A form is unset where
// nothing fits.
struct FlexGenForms {
  // As this engine runs: the host's cache is loaded in every step.
  std::optional<FlexGenChoice> device_attention;
  // As published: attention over the host's cache runs there, and none of it
  // crosses the link. Unset, too, where the host's speed is not known.
  std::optional<FlexGenChoice> host_attention;
};

// Pure. At most `workload.sequences` at once; max_step_time does not count.
FlexGenForms ChooseFlexGenForms(const CostModel& costs,
                                const Workload& workload,
                                const FlexGenMachine& machine);

// The placement as --percent takes it: rounded to whole percents, hidden rows
// on the tier that has most of them.
FlexGenPercents PercentsOf(const FlexGenPlacement& placement);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_FORMS_H_
