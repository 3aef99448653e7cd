#ifndef HYBRIDSERVE_SCHEDULER_POLICY_CACHE_MIX_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_CACHE_MIX_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// A worker's cache space, in half-slots. ACT takes one, KV two in one tier.
struct Capacities {
  int64_t device_half_slots = 0;
  int64_t host_half_slots = 0;
};

// What the mix is chosen for: sequences that are all like the average one.
struct Workload {
  int64_t sequences = 0;      // That could run at once, memory aside.
  double context_tokens = 0;  // Cached positions of one, over its life.
  double final_tokens = 0;    // Positions of one at its end: what there is to
                              // be room for.
  absl::Duration max_step_time = absl::InfiniteDuration();
};

// A number of running sequences, where their blocks lie, and what a decode step
// then takes.
struct MixPoint {
  int64_t sequences = 0;  // 0: not even one fits.
  BlockCounts blocks;     // Reserved, whole.
  StepTime time;

  double seconds_per_token() const {
    return time.step() / static_cast<double>(sequences);
  }
};

// How the cache is shared between kinds and tiers.
struct CacheMix {
  double act_ratio = 0;  // ACT share of a sequence's blocks, [0, 1].
  MixPoint chosen;       // What that share follows from, if it was chosen.
  // `chosen.blocks` bounds what goes to the device even if it had room for
  // more.
  bool bounds_device = false;
  // Most sequences to run. INT64_MAX where more only help, or fit anyway.
  int64_t max_sequences = INT64_MAX;
  // The same prediction for the policies of these names, each at its own best
  // number of sequences.
  MixPoint kv;
  MixPoint act;
  std::string reason;  // In words, for logs and status.
};

// The reason for no ACT on models with few KV heads.
inline constexpr absl::string_view kActDoesNotPay =
    "activations are no smaller than K and V on this model";

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_CACHE_MIX_H_
