#include "worker/device/link_pacer.h"

#include <time.h>

#include <algorithm>

namespace hybridserve {
namespace {

// How late the kernel may wake a sleeper; the rest is spun.
constexpr absl::Duration kWakeUp = absl::Microseconds(80);

}  // namespace

absl::Time LinkPacer::Schedule(absl::Time now, int64_t bytes) {
  if (bytes_per_second_ <= 0) return now;
  const absl::Duration on_link =
      absl::Seconds(static_cast<double>(bytes) / bytes_per_second_);
  absl::MutexLock lock(&mutex_);
  free_at_ = std::max(now, free_at_) + on_link;
  return free_at_;
}

absl::Time MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::TimeFromTimespec(now);
}

void WaitUntil(absl::Time deadline) {
  const absl::Time sleep_until = deadline - kWakeUp;
  if (MonotonicNow() < sleep_until) {
    const timespec until = absl::ToTimespec(sleep_until);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) !=
           0) {
    }
  }
  while (MonotonicNow() < deadline) {
  }
}

}  // namespace hybridserve
