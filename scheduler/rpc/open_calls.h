#ifndef HYBRIDSERVE_SCHEDULER_RPC_OPEN_CALLS_H_
#define HYBRIDSERVE_SCHEDULER_RPC_OPEN_CALLS_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hybridserve {

// How many calls have yet to hear their last words: a request may be over for
// the core long before its client has read the end.
//
// Thread-safe.
class OpenCalls {
 public:
  // One call, open as long as this lives.
  class Call {
   public:
    explicit Call(OpenCalls& calls) : calls_(calls) { calls_.Add(1); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() { calls_.Add(-1); }

   private:
    OpenCalls& calls_;
  };

  // False: some were open still at `deadline`.
  bool WaitUntilNone(absl::Time deadline);

 private:
  void Add(int64_t more);

  absl::Mutex mutex_;
  int64_t open_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_OPEN_CALLS_H_
