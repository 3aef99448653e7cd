#ifndef HYBRIDSERVE_SCHEDULER_POLICY_POOL_FORECAST_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_POOL_FORECAST_H_

#include <cstdint>
#include <vector>

namespace hybridserve {

// What a sequence holds of a pool, and what it could come to hold.
struct Footprint {
  int64_t blocks = 0;  // Now.
  int64_t half_slots = 0;
  int64_t full_blocks = 0;  // At max_tokens.
  int64_t full_half_slots = 0;
  int64_t positions = 0;  // Prompt and tokens so far.
  int64_t generated = 0;  // Of those, tokens.
  int64_t max_tokens = 0;
  // Until it has given all back, besides those that make its tokens.
  int64_t other_steps = 0;
};

// The same, as expected: it grows evenly over `steps` and then is gone.
struct ExpectedGrowth {
  int64_t half_slots = 0;        // Now.
  int64_t final_half_slots = 0;  // At its end.
  int64_t steps = 1;             // Until then, >= 1.
};

// What is expected of a sequence where requests use a share `output_share`,
// in [0, 1], of their max_tokens. One beyond that share, or short of it by
// less than a block, is expected to go on for a block, as far as max_tokens
// allows.
ExpectedGrowth ExpectGrowth(const Footprint& footprint, double output_share,
                            int32_t block_tokens);

// The most half-slots in use at one time, from now on, if all goes as expected
// and nobody joins. O(n log n).
int64_t PeakHalfSlots(std::vector<ExpectedGrowth> sequences);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_POOL_FORECAST_H_
