#ifndef HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_CLOCK_H_
#define HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_CLOCK_H_

#include <algorithm>

#include "absl/time/time.h"
#include "common/clock.h"

namespace hybridserve {

// The host's time in a simulation: it moves only when the host waits for a
// simulated stream. Computing on the host takes no time. Thread-compatible: a
// simulation is one thread.
class SimClock final : public Clock {
 public:
  absl::Time Now() const override { return now_; }
  // The host waited until `time`; nothing if that is past.
  void AdvanceTo(absl::Time time) { now_ = std::max(now_, time); }

 private:
  absl::Time now_ = absl::UnixEpoch();
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_CLOCK_H_
