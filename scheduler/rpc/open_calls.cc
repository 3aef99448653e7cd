#include "scheduler/rpc/open_calls.h"

namespace hybridserve {

bool OpenCalls::WaitUntilNone(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return open_ == 0;
  };
  return mutex_.AwaitWithDeadline(absl::Condition(&none), deadline);
}

void OpenCalls::Add(int64_t more) {
  absl::MutexLock lock(&mutex_);
  open_ += more;
}

}  // namespace hybridserve
