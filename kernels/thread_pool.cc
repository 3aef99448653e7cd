#include "kernels/thread_pool.h"

#include "glog/logging.h"

namespace hybridserve {

ThreadPool::ThreadPool(int num_threads) {
  CHECK_GE(num_threads, 1);
  for (int i = 1; i < num_threads; ++i) {
    helpers_.emplace_back([this] { HelperLoop(); });
  }
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& helper : helpers_) helper.join();
}

void ThreadPool::Work(Job& job) {
  for (int64_t i; (i = job.next.fetch_add(1)) < job.count;) job.body(i);
}

void ThreadPool::ParallelFor(int64_t count,
                             absl::FunctionRef<void(int64_t)> body) {
  if (count <= 1 || helpers_.empty()) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  absl::MutexLock turn(&turn_);
  Job job{.body = body, .count = count};
  {
    absl::MutexLock lock(&mutex_);
    job_ = &job;
    ++job_number_;
  }
  Work(job);
  // No helper may enter the job any more, and those inside must leave.
  absl::MutexLock lock(&mutex_);
  job_ = nullptr;
  mutex_.Await(absl::Condition(
      +[](Job* j) { return j->helpers_inside == 0; }, &job));
}

void ThreadPool::HelperLoop() {
  uint64_t done_number = 0;
  const auto has_news = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || (job_ != nullptr && job_number_ != done_number);
  };
  absl::MutexLock lock(&mutex_);
  while (true) {
    mutex_.Await(absl::Condition(&has_news));
    if (stopping_) return;
    Job& job = *job_;
    done_number = job_number_;
    ++job.helpers_inside;
    mutex_.Unlock();
    Work(job);
    mutex_.Lock();
    --job.helpers_inside;
  }
}

}  // namespace hybridserve
