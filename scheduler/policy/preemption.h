#ifndef HYBRIDSERVE_SCHEDULER_POLICY_PREEMPTION_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_PREEMPTION_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace hybridserve {

// A running sequence that could be dropped and run again later.
struct PreemptionCandidate {
  int64_t replay_positions = 0;  // That were run, and would be again.
  int64_t half_slots = 0;        // That it would give back, >= 1.
};

// Which sequences to drop so that at least `half_slots` come free: those with
// the fewest positions to run again for each half-slot, on a tie the youngest;
// none that the others make needless. Never the oldest, which is the first: so
// it may be that all the others are not enough. Ascending indices, at least one
// if `half_slots` > 0 and there are two or more candidates.
std::vector<int32_t> ChoosePreempted(
    absl::Span<const PreemptionCandidate> oldest_first, int64_t half_slots);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_PREEMPTION_H_
