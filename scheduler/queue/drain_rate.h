#ifndef HYBRIDSERVE_SCHEDULER_QUEUE_DRAIN_RATE_H_
#define HYBRIDSERVE_SCHEDULER_QUEUE_DRAIN_RATE_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace hybridserve {

// How fast a queue is served, from how fast it was of late: over the last
// minute or so in which something waited all the time.
//
// Thread-compatible.
class DrainRate {
 public:
  // A request of `tokens` left to be served; `more_wait`: others are left.
  void Left(absl::Time now, int64_t tokens, bool more_wait);

  // How long `tokens` take to be served. Not set before anything is known.
  std::optional<absl::Duration> TimeFor(int64_t tokens) const;

 private:
  double tokens_ = 0;   // Served, what is long ago counting less.
  double seconds_ = 0;  // In which they were, likewise.
  // When the last one left, while others have waited since.
  std::optional<absl::Time> waiting_since_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_QUEUE_DRAIN_RATE_H_
