#ifndef HYBRIDSERVE_KERNELS_COPY_CUDA_H_
#define HYBRIDSERVE_KERNELS_COPY_CUDA_H_

#include <cstdint>

#include "absl/status/status.h"

struct CUstream_st;  // *cudaStream_t, so that hosts need no CUDA headers.

namespace hybridserve {

// Addresses and sizes are multiples of this.
inline constexpr int64_t kCopyCudaAlignment = 16;
// Runs of one launch: what fits its arguments, which are 4 KiB at the most.
inline constexpr int kCopyCudaRuns = 128;

struct CopyCudaRun {
  void* dst;
  const void* src;
  int64_t bytes;
};

// Device memory, or the host's where it is pinned, on either side. No run's
// destination overlaps another's.
struct CopyCudaArgs {
  CopyCudaRun runs[kCopyCudaRuns];
  int num_runs;
};

// Queues the copies as one kernel. Internal if the launch is refused.
absl::Status CopyCuda(const CopyCudaArgs& args, CUstream_st* stream);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_COPY_CUDA_H_
