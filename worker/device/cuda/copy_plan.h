#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_COPY_PLAN_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_COPY_PLAN_H_

#include <vector>

#include "absl/types/span.h"
#include "kernels/device/device.h"
#include "worker/device/cuda/pinned_ranges.h"

namespace hybridserve {

// How a batch of copies is made.
struct CopyPlan {
  std::vector<CopyRun> runs;  // In order; none crosses the end of a range.
  bool by_kernel = false;     // All by CopyCuda; else each by the copy engine.
};

// A copy by the engine costs some 5 us before its first byte, in which the link
// carries some 128 KiB: batches of several small runs are for the kernel, if
// it can take them all (kernels/copy_cuda.h; the host's side pinned) and one
// side is the device.
inline constexpr int kFewRuns = 4;
inline constexpr int64_t kSmallRunBytes = int64_t{512} << 10;  // On average.

// Pure. `merged` is of MergeCopyRuns().
CopyPlan PlanCopies(absl::Span<const CopyRun> merged,
                    const PinnedRanges& pinned);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_COPY_PLAN_H_
