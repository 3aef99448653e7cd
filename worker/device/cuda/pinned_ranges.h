#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_PINNED_RANGES_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_PINNED_RANGES_H_

#include <cstdint>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace hybridserve {

// Which memory of the host this process has pinned, call by call: a copy must
// not go from what one call pinned to what another did, though they lie side by
// side, and kernels reach nothing else of the host. Thread-safe.
class PinnedRanges {
 public:
  static PinnedRanges& Get();

  void Add(const void* address, int64_t bytes);
  void Remove(const void* address);
  // How many bytes from `address` on one call pinned; 0 if it is not pinned.
  int64_t BytesFrom(const void* address) const;

 private:
  mutable absl::Mutex mutex_;
  std::map<uintptr_t, int64_t> bytes_ ABSL_GUARDED_BY(mutex_);  // By begin.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_PINNED_RANGES_H_
