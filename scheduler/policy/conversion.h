#ifndef HYBRIDSERVE_SCHEDULER_POLICY_CONVERSION_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_CONVERSION_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// A sequence that decodes in a step, whose ACT blocks could become KV with it.
struct ConversionCandidate {
  int64_t context_tokens = 0;  // Cached.
  BlockCounts blocks;          // That hold them.
  int64_t convertible = 0;     // ACT blocks of those: whole ones.
  int64_t steps_left = 0;      // That it may go on for.
};

// What else bounds the conversions of a step.
struct ConversionRoom {
  int64_t prompt_rows = 0;  // That are written back besides.
  // Half-slots that are free, of which a block takes two at first and one in
  // the end; and those that stay free when all that runs comes to its end.
  int64_t free_half_slots = 0;
  int64_t spare_half_slots = 0;
  int64_t device_blocks = 0;  // Of KV that would find a place there.
};

// How many blocks of each candidate to turn into KV in this step: as many as
// bring the step's compute down to its link, now and when only those run that
// stay longest; but none unless that makes the step shorter by more than a dead
// band, no more at once than copy-out carries beside new rows in half of the
// step, and no half-slot that is not spare. Those with most steps left come
// first. Linear in the candidates, but for a factor log n on those chosen.
// Pure.
std::vector<int64_t> ChooseConversions(
    const CostModel& costs, const ConversionRoom& room,
    absl::Span<const ConversionCandidate> candidates);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_CONVERSION_H_
