#ifndef HYBRIDSERVE_COMMON_TESTING_FAKE_CLOCK_H_
#define HYBRIDSERVE_COMMON_TESTING_FAKE_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "glog/logging.h"

namespace hybridserve {

// A clock that moves only when told to. Thread-safe.
class FakeClock final : public Clock {
 public:
  FakeClock() = default;
  explicit FakeClock(absl::Time start) : now_(start) {}

  absl::Time Now() const override {
    absl::MutexLock lock(&mutex_);
    return now_;
  }

  // `step` is not negative.
  void Advance(absl::Duration step) {
    CHECK(step >= absl::ZeroDuration()) << step;
    absl::MutexLock lock(&mutex_);
    now_ += step;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::UnixEpoch();
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_TESTING_FAKE_CLOCK_H_
