#include "common/clock.h"

#include <chrono>

#include "absl/time/time.h"

namespace hybridserve {

absl::Time SystemClock::Now() const {
  return absl::UnixEpoch() +
         absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace hybridserve
