#ifndef HYBRIDSERVE_COMMON_CLOCK_H_
#define HYBRIDSERVE_COMMON_CLOCK_H_

#include "absl/time/time.h"

namespace hybridserve {

// Where time comes from: system, fake (common/testing/fake_clock.h) or, on the
// sim device, simulated. Monotonic: Now() never goes back.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

// The machine's monotonic clock. Its times compare only with each other.
// Thread-safe.
class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_CLOCK_H_
