#ifndef HYBRIDSERVE_WORKER_DEVICE_LINK_PACER_H_
#define HYBRIDSERVE_WORKER_DEVICE_LINK_PACER_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hybridserve {

// One direction of a modelled link: transfers pass one after another, each
// taking bytes / bandwidth of wall-clock time. Thread-safe.
class LinkPacer {
 public:
  // 0: not paced.
  explicit LinkPacer(double bytes_per_second)
      : bytes_per_second_(bytes_per_second) {}

  // When a transfer begins, and when its last byte arrives.
  struct Transfer {
    absl::Time begin;
    absl::Time end;

    // When that share of its bytes has arrived: they come evenly.
    absl::Time At(double share) const { return begin + share * (end - begin); }
  };

  // Puts a transfer of `bytes` that was ready at `now` on the link, behind
  // those before it.
  Transfer Schedule(absl::Time now, int64_t bytes);

 private:
  const double bytes_per_second_;
  absl::Mutex mutex_;
  absl::Time free_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

// Sleeps until `deadline`: a little longer, as the kernel wakes it.
void WaitUntil(absl::Time deadline);

// The machine's monotonic clock: comparable with itself only.
absl::Time MonotonicNow();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_LINK_PACER_H_
