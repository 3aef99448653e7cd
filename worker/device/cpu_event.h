#ifndef HYBRIDSERVE_WORKER_DEVICE_CPU_EVENT_H_
#define HYBRIDSERVE_WORKER_DEVICE_CPU_EVENT_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "kernels/device/device.h"

namespace hybridserve {

// One record of an event: opens once, with the recording stream's status.
// Thread-safe.
class Latch {
 public:
  void Open(absl::Status status);
  // Blocks until open; the status it was opened with.
  absl::Status Wait() const;
  // When it was opened, by MonotonicNow(); until then the infinite future.
  absl::Time opened_at() const;
  bool IsOpen() const;

 private:
  mutable absl::Mutex mutex_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time opened_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// An event is the latch of its last record. Thread-safe.
class CpuEvent final : public Event {
 public:
  absl::Status Synchronize() override;
  bool Done() const override;

  // Starts a record. Shared with the queues of streams, which may outlive
  // the event.
  std::shared_ptr<Latch> NewRecord();
  // The last record, null if there was none.
  std::shared_ptr<Latch> last_record() const;

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<Latch> last_record_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CPU_EVENT_H_
