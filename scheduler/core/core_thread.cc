#include "scheduler/core/core_thread.h"

#include "absl/time/time.h"
#include "glog/logging.h"

namespace hybridserve {

CoreThread::CoreThread(std::unique_ptr<SchedulerCore> core, const Clock& clock)
    : clock_(clock) {
  CHECK(core != nullptr);
  thread_ = std::thread(
      [this, core = std::move(core)]() mutable { Run(std::move(core)); });
}

CoreThread::~CoreThread() { Stop(); }

bool CoreThread::Post(Task task) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return false;
  tasks_.push_back(std::move(task));
  return true;
}

void CoreThread::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  absl::MutexLock lock(&join_mutex_);
  if (thread_.joinable()) thread_.join();
}

bool CoreThread::Wait(absl::Time due, std::deque<Task>& tasks) {
  const absl::Duration timeout = due - clock_.Now();
  absl::MutexLock lock(&mutex_);
  const auto has_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !tasks_.empty();
  };
  mutex_.AwaitWithTimeout(absl::Condition(&has_work), timeout);
  tasks.swap(tasks_);
  return !(stopping_ && tasks.empty());
}

void CoreThread::Run(std::unique_ptr<SchedulerCore> core) {
  std::deque<Task> tasks;
  while (Wait(core->NextTick(), tasks)) {
    for (Task& task : tasks) task(*core);
    tasks.clear();
    if (core->NextTick() <= clock_.Now()) core->Tick();
  }
}

}  // namespace hybridserve
