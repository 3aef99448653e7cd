#include "worker/device/link_pacer.h"

#include <time.h>

#include <algorithm>

namespace hybridserve {

LinkPacer::Transfer LinkPacer::Schedule(absl::Time now, int64_t bytes) {
  if (bytes_per_second_ <= 0) return {now, now};
  const absl::Duration on_link =
      absl::Seconds(static_cast<double>(bytes) / bytes_per_second_);
  absl::MutexLock lock(&mutex_);
  const absl::Time begin = std::max(now, free_at_);
  free_at_ = begin + on_link;
  return {begin, free_at_};
}

absl::Time MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::TimeFromTimespec(now);
}

void WaitUntil(absl::Time deadline) {
  const timespec until = absl::ToTimespec(deadline);
  while (MonotonicNow() < deadline) {
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }
}

}  // namespace hybridserve
