#ifndef HYBRIDSERVE_SCHEDULER_POLICY_OUTPUT_TRACKER_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_OUTPUT_TRACKER_H_

#include <cstdint>

namespace hybridserve {

// Learns which share of its max_tokens a request comes to generate, from those
// that ended by themselves. Recent ones count most.
//
// Thread-compatible.
class OutputTracker {
 public:
  // 0 <= generated <= max_tokens, max_tokens > 0.
  void Add(int64_t generated, int64_t max_tokens);

  // What to expect, on the safe side: their mean and the mean distance from
  // it. In [0, 1]; 1 as long as nothing is known.
  double share() const;

 private:
  double mean_ = 1;
  double deviation_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_OUTPUT_TRACKER_H_
