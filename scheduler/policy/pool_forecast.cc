#include "scheduler/policy/pool_forecast.h"

#include <algorithm>
#include <cmath>

namespace hybridserve {

ExpectedGrowth ExpectGrowth(const Footprint& footprint, double output_share,
                            int32_t block_tokens) {
  const int64_t left = footprint.max_tokens - footprint.generated;
  const auto expected =
      static_cast<int64_t>(
          std::ceil(output_share * static_cast<double>(footprint.max_tokens))) -
      footprint.generated;
  const int64_t more =
      std::min(std::max<int64_t>(expected, block_tokens), left);
  ExpectedGrowth growth = {
      .half_slots = footprint.half_slots,
      .final_half_slots = footprint.half_slots,
      .steps = std::max<int64_t>(more + footprint.other_steps, 1)};
  const int64_t blocks =
      std::min((footprint.positions + more + block_tokens - 1) / block_tokens,
               footprint.full_blocks);
  const int64_t open = footprint.full_blocks - footprint.blocks;
  if (blocks > footprint.blocks) {
    // Its kinds are spread evenly, so any of its blocks are like all of them.
    const int64_t rest = footprint.full_half_slots - footprint.half_slots;
    growth.final_half_slots +=
        ((blocks - footprint.blocks) * rest + open - 1) / open;
  }
  return growth;
}

// In between ends all only grow, so the peak is just before one of them.
int64_t PeakHalfSlots(std::vector<ExpectedGrowth> sequences) {
  std::sort(sequences.begin(), sequences.end(),
            [](const ExpectedGrowth& a, const ExpectedGrowth& b) {
              return a.steps > b.steps;
            });
  double held = 0;    // Now, by those that end no sooner.
  double growth = 0;  // Of the same, a step.
  double peak = 0;
  for (const ExpectedGrowth& sequence : sequences) {
    const auto now = static_cast<double>(sequence.half_slots);
    const auto steps = static_cast<double>(sequence.steps);
    held += now;
    growth += (static_cast<double>(sequence.final_half_slots) - now) / steps;
    peak = std::max(peak, held + growth * steps);
  }
  // A whole number may come out a little above itself.
  return static_cast<int64_t>(std::ceil(peak - 1e-6));
}

}  // namespace hybridserve
