#ifndef HYBRIDSERVE_KERNELS_THREAD_POOL_H_
#define HYBRIDSERVE_KERNELS_THREAD_POOL_H_

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"

namespace hybridserve {

// A fixed number of threads that share out the items of one op at a time.
// Which thread takes which item is left to chance, so an op's items must not
// depend on each other.
//
// Thread-safe: ops of several streams take turns.
class ThreadPool {
 public:
  // `num_threads` >= 1 counts the thread that calls ParallelFor.
  explicit ThreadPool(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Calls body(i) once for each i in [0, count), on any of the threads, and
  // returns when all are done. Not to be called from inside a body.
  void ParallelFor(int64_t count, absl::FunctionRef<void(int64_t)> body);

  int num_threads() const { return static_cast<int>(helpers_.size()) + 1; }

 private:
  // One ParallelFor call, on the caller's stack.
  struct Job {
    absl::FunctionRef<void(int64_t)> body;
    int64_t count;
    std::atomic<int64_t> next{0};
    int helpers_inside = 0;  // Guarded by the pool's mutex.
  };

  static void Work(Job& job);
  void HelperLoop();

  absl::Mutex turn_;  // Held for the whole of a shared ParallelFor.
  absl::Mutex mutex_;
  Job* job_ ABSL_GUARDED_BY(mutex_) = nullptr;
  uint64_t job_number_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> helpers_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_THREAD_POOL_H_
