#ifndef HYBRIDSERVE_SCHEDULER_CORE_CORE_THREAD_H_
#define HYBRIDSERVE_SCHEDULER_CORE_CORE_THREAD_H_

#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "scheduler/core/scheduler_core.h"

namespace hybridserve {

// The thread that owns a SchedulerCore: runs what others post to it, in order,
// and calls Tick() when it is due.
//
// Thread-safe.
class CoreThread {
 public:
  // Runs once on the core's thread, or never if the thread stops first.
  using Task = absl::AnyInvocable<void(SchedulerCore&)>;

  // Starts the thread. `clock` is the core's and outlives this.
  CoreThread(std::unique_ptr<SchedulerCore> core, const Clock& clock);
  CoreThread(const CoreThread&) = delete;
  CoreThread& operator=(const CoreThread&) = delete;
  // Stop().
  ~CoreThread();

  // Queues `task`; never blocks. False, with `task` destroyed, after Stop().
  // A task may post more.
  bool Post(Task task);

  // Runs `function(SchedulerCore&)` on the thread and returns what it
  // returned; nullopt after Stop(). Not from the core's own thread.
  template <typename Function,
            typename Result = std::invoke_result_t<Function, SchedulerCore&>>
  std::optional<Result> Call(Function function) {
    std::optional<Result> result;
    absl::Notification done;
    const bool posted = Post([&](SchedulerCore& core) {
      result.emplace(function(core));
      done.Notify();
    });
    if (posted) done.WaitForNotification();
    return result;
  }

  // Takes no more tasks, runs those posted, destroys the core on its thread
  // (which ends its requests) and joins. Idempotent; not from the core's own
  // thread.
  void Stop();

 private:
  void Run(std::unique_ptr<SchedulerCore> core);
  // Waits for a task or for `due`; false to stop.
  bool Wait(absl::Time due, std::deque<Task>& tasks);

  const Clock& clock_;
  absl::Mutex mutex_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex join_mutex_;  // Held while joining; never with mutex_.
  std::thread thread_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_CORE_THREAD_H_
