#ifndef HYBRIDSERVE_SCHEDULER_POLICY_PLACEMENT_SEARCH_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_PLACEMENT_SEARCH_H_

#include <cstdint>
#include <limits>

#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/placement_time.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// The ACT shares that are open, 0 <= least <= most <= 1.
struct ActShares {
  double least = 0;
  double most = 1;
};

// The whole numbers of blocks on each tier and of each kind that make a decode
// step of some equal sequences shortest. Thread-compatible.
class PlacementSearch {
 public:
  // `costs` is borrowed.
  PlacementSearch(const CostModel& costs, const Capacities& capacities,
                  const Workload& workload, int64_t sequences)
      : time_(costs, capacities, workload, sequences) {}

  // Returns whether a placement within `shares` fits whose step takes less than
  // `bound` seconds; then `blocks` is the best one. On a tie, fewest ACT.
  bool Run(ActShares shares, double bound);
  BlockCounts blocks() const {
    return time_.Blocks(best_.act, best_.kv_device);
  }

 private:
  // A whole placement and the layer's time.
  struct Candidate {
    double act = 0;
    double kv_device = 0;
    double seconds = std::numeric_limits<double>::infinity();
  };

  // The best one for the mini-batches that are set.
  Candidate Solve() const;
  // The whole A in [least, most] with the least real time.
  double SearchAct(double least, double most, HostKinds host) const;
  // Improves `best` by the whole placements with `act` ACT blocks.
  void TryWhole(double act, Candidate& best) const;

  PlacementTime time_;
  double least_act_ = 0;
  double most_act_ = 0;
  Candidate best_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_PLACEMENT_SEARCH_H_
