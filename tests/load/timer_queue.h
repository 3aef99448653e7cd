#ifndef HYBRIDSERVE_TESTS_LOAD_TIMER_QUEUE_H_
#define HYBRIDSERVE_TESTS_LOAD_TIMER_QUEUE_H_

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hybridserve {

// Calls functions at their times, one after the other, on a thread of its own.
//
// Thread-safe.
class TimerQueue {
 public:
  using Function = absl::AnyInvocable<void()>;

  TimerQueue();
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  // Drops what is not due yet; waits for what is being called.
  ~TimerQueue();

  // Calls `function` at `time` or soon after. Those of one time are called in
  // the order of coming. It must not block.
  void At(absl::Time time, Function function);

 private:
  void Run();

  absl::Mutex mutex_;
  absl::btree_multimap<absl::Time, Function> timers_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses the rest.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_TESTS_LOAD_TIMER_QUEUE_H_
