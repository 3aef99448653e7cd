#ifndef HYBRIDSERVE_WORKER_DEVICE_STREAM_THREAD_H_
#define HYBRIDSERVE_WORKER_DEVICE_STREAM_THREAD_H_

#include <deque>
#include <functional>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/work.h"

namespace hybridserve {

// A thread that runs queued closures in order.
//
// The first error sticks: later work is skipped, markers still run and are
// told. Thread-safe.
class StreamThread {
 public:
  // Does something that takes time and may fail.
  using Work = std::function<absl::Status()>;
  // Marks a place in the order. Gets the first error so far, OK if none;
  // what it returns becomes the first error if there is none yet.
  using Marker = std::function<absl::Status(const absl::Status& so_far)>;

  StreamThread();
  // Runs what is queued, then stops.
  ~StreamThread();
  StreamThread(const StreamThread&) = delete;
  StreamThread& operator=(const StreamThread&) = delete;

  void Queue(Work work);
  void QueueMarker(Marker marker);
  // Work queued from now on is a part of `tag`.
  void QueueTag(const WorkTag& tag);

  // From within Work: it began at `time`, when this thread was not awake yet.
  // No earlier than the Work before it ended.
  void BeganAt(absl::Time time);

  // Blocks until everything queued before the call is done. The first error.
  absl::Status Drain();

  // Time spent inside Work, that under way included; markers cost nothing.
  absl::Duration busy() const;
  // Of Work that is done, by tag.
  PerWorkKind<WorkTotals> work() const;

 private:
  struct Item {
    Work work;  // Exactly one of the three.
    Marker marker;
    std::optional<WorkTag> tag;
  };

  void Push(Item item);
  void Loop();
  absl::Status Run(const Item& item, const absl::Status& so_far);

  mutable absl::Mutex mutex_;
  std::deque<Item> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t queued_ ABSL_GUARDED_BY(mutex_) = 0;  // Items ever pushed.
  int64_t done_ ABSL_GUARDED_BY(mutex_) = 0;    // Items ever finished.
  absl::Status first_error_ ABSL_GUARDED_BY(mutex_);
  absl::Duration busy_ ABSL_GUARDED_BY(mutex_);
  // When the Work under way began; InfiniteFuture if there is none.
  absl::Time working_since_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  absl::Time work_ended_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  PerWorkKind<WorkTotals> totals_ ABSL_GUARDED_BY(mutex_);
  // Of the thread: what Work is for, and whether some of it ran.
  WorkTag tag_;
  bool tag_counted_ = false;
  std::thread thread_;  // Last: starts when the rest is there.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_STREAM_THREAD_H_
