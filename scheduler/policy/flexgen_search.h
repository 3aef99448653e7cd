#ifndef HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_SEARCH_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_SEARCH_H_

#include <cstdint>
#include <optional>

#include "scheduler/policy/flexgen_cost.h"

namespace hybridserve {

// A placement and what it gives by FlexGen's cost model.
struct FlexGenChoice {
  FlexGenPlacement placement;
  FlexGenTimes times;
};

// FlexGen's linear program: the shares that make the time per sequence least
// for so many mini-batches of such a size, within memory. nullopt: none fits.
// `weights`: that share of weights, if it is not open.
std::optional<FlexGenChoice> BestFlexGenShares(
    const FlexGenJob& job, const FlexGenHardware& hardware,
    FlexGenAttention attention, int64_t batch_sequences, int64_t num_batches,
    std::optional<double> weights = std::nullopt);

// FlexGen's search around it: mini-batches of 1, 2, 3, 4, 8, 16, ... sequences,
// and of each as many as pay; at most `max_sequences` in all.
std::optional<FlexGenChoice> SearchFlexGen(
    const FlexGenJob& job, const FlexGenHardware& hardware,
    FlexGenAttention attention, int64_t max_sequences,
    std::optional<double> weights = std::nullopt);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_SEARCH_H_
