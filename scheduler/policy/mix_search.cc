#include "scheduler/policy/mix_search.h"

#include <algorithm>
#include <limits>

#include "absl/time/time.h"
#include "scheduler/policy/decode_prediction.h"

namespace hybridserve {
namespace {

// So much must fewer sequences gain, a token: others would wait for it.
constexpr double kPreference = 0.005;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Of placements whose step takes less than `bound` seconds.
MixPoint BestBelow(double bound, const CostModel& costs,
                   const Capacities& capacities, const Workload& workload,
                   ActShares shares, int64_t sequences) {
  PlacementSearch search(costs, capacities, workload, sequences);
  if (!search.Run(shares, bound)) return {};
  MixPoint point = {.sequences = sequences, .blocks = search.blocks()};
  point.time = PredictDecode(costs, workload, sequences, point.blocks);
  return point;
}

}  // namespace

MixPoint BestPlacement(const CostModel& costs, const Capacities& capacities,
                       const Workload& workload, ActShares shares,
                       int64_t sequences) {
  return BestBelow(kInfinity, costs, capacities, workload, shares, sequences);
}

MixPoint BestMix(const CostModel& costs, const Capacities& capacities,
                 const Workload& workload, ActShares shares) {
  const double limit = absl::ToDoubleSeconds(workload.max_step_time);
  // No more can fit: every block takes at least one half-slot.
  const int64_t most =
      std::min(workload.sequences,
               (capacities.device_half_slots + capacities.host_half_slots) /
                   BlocksPerSequence(costs, workload));
  MixPoint best;
  for (int64_t sequences = most; sequences >= 1; --sequences) {
    double bound = kInfinity;  // A step must be shorter than that to matter.
    if (best.sequences > 0) {
      bound = best.seconds_per_token() * (1 - kPreference) *
              static_cast<double>(sequences);
    }
    const MixPoint point =
        BestBelow(bound, costs, capacities, workload, shares, sequences);
    const double step = point.time.step();
    if (point.sequences > 0 && step <= limit && step < bound) best = point;
  }
  if (best.sequences > 0 || most < 1) return best;
  return BestPlacement(costs, capacities, workload, shares, 1);
}

int64_t MaxSequences(const CostModel& costs, const Capacities& capacities,
                     const Workload& workload, const MixPoint& best) {
  if (best.sequences == 0 || best.sequences >= workload.sequences) {
    return INT64_MAX;
  }
  const double share = best.blocks.act() / best.blocks.total();
  const MixPoint more = BestPlacement(costs, capacities, workload,
                                      {share, share}, best.sequences + 1);
  return more.sequences == 0 ? INT64_MAX : best.sequences;
}

}  // namespace hybridserve
