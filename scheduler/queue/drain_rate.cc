#include "scheduler/queue/drain_rate.h"

#include <cmath>

namespace hybridserve {
namespace {

constexpr double kMemorySeconds = 60;

}  // namespace

void DrainRate::Left(absl::Time now, int64_t tokens, bool more_wait) {
  if (waiting_since_.has_value()) {
    const double seconds = absl::ToDoubleSeconds(now - *waiting_since_);
    const double kept = std::exp(-seconds / kMemorySeconds);
    tokens_ = tokens_ * kept + static_cast<double>(tokens);
    seconds_ = seconds_ * kept + seconds;
  }
  waiting_since_.reset();
  if (more_wait) waiting_since_ = now;
}

std::optional<absl::Duration> DrainRate::TimeFor(int64_t tokens) const {
  if (tokens_ <= 0 || seconds_ <= 0) return std::nullopt;
  return absl::Seconds(static_cast<double>(tokens) * seconds_ / tokens_);
}

}  // namespace hybridserve
