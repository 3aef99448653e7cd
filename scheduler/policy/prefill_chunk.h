#ifndef HYBRIDSERVE_SCHEDULER_POLICY_PREFILL_CHUNK_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_PREFILL_CHUNK_H_

#include <cstdint>

#include "scheduler/policy/step_roster.h"

namespace hybridserve {

// How many prompt rows of a step ride in its compute slack (DESIGN.md 6): those
// that are computed in the time which the step takes without them. All of it is
// slack where decoding computes little; where it computes all the time, the
// step takes twice as long, so that prompts come on. Less if it would take more
// than max_step_time; a block at least; prefill_chunk_tokens at most.
//
// As many as max_step_time and prefill_chunk_tokens allow if no request waits;
// prefill_chunk_tokens if nothing decodes, if there is no link (weights are
// read once a step however many rows there are, so more rows a step are
// cheaper), or if costs aren't known. Linear in the sequences.
int64_t PrefillRowsInSlack(const StepSnapshot& snapshot);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_PREFILL_CHUNK_H_
