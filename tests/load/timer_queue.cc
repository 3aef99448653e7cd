#include "tests/load/timer_queue.h"

#include <utility>

#include "absl/time/clock.h"

namespace hybridserve {

TimerQueue::TimerQueue() : thread_([this] { Run(); }) {}

TimerQueue::~TimerQueue() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void TimerQueue::At(absl::Time time, Function function) {
  absl::MutexLock lock(&mutex_);
  timers_.emplace(time, std::move(function));
}

void TimerQueue::Run() {
  while (true) {
    Function due;
    {
      absl::MutexLock lock(&mutex_);
      const absl::Time next =
          timers_.empty() ? absl::InfiniteFuture() : timers_.begin()->first;
      const auto changed = [this, next]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return stopping_ || (!timers_.empty() && timers_.begin()->first < next);
      };
      mutex_.AwaitWithDeadline(absl::Condition(&changed), next);
      if (stopping_) return;
      if (timers_.empty() || timers_.begin()->first > absl::Now()) continue;
      due = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
    }
    due();
  }
}

}  // namespace hybridserve
