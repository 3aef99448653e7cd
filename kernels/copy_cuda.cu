// Many small copies at once, the host's memory read and written in place over
// the link. Grid: (kShares, up to kLanesOfRuns): block (i, j) copies the i-th
// share of runs j, j + gridDim.y, ... Few blocks, since the link is busy with
// far fewer bytes in flight than the device's own memory would be, and the
// multiprocessors are needed for the model.

#include <algorithm>

#include "glog/logging.h"
#include "kernels/copy_cuda.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/status.h"

namespace hybridserve {
namespace {

constexpr int kShares = 2;
constexpr int kLanesOfRuns = 8;
constexpr int kThreads = 256;
constexpr int kInFlight = 4;  // Loads of a thread before it stores.

__global__ void CopyKernel(CopyCudaArgs args) {
  const int64_t stride = int64_t{kShares} * kThreads;
  for (int run = static_cast<int>(blockIdx.y); run < args.num_runs;
       run += static_cast<int>(gridDim.y)) {
    const uint4* src = static_cast<const uint4*>(args.runs[run].src);
    uint4* dst = static_cast<uint4*>(args.runs[run].dst);
    const int64_t words =
        args.runs[run].bytes / static_cast<int64_t>(sizeof(uint4));
    const int64_t first = int64_t{blockIdx.x} * kThreads + threadIdx.x;
    for (int64_t at = first; at < words; at += kInFlight * stride) {
      uint4 loaded[kInFlight];
#pragma unroll
      for (int i = 0; i < kInFlight; ++i) {
        if (at + i * stride < words) loaded[i] = src[at + i * stride];
      }
#pragma unroll
      for (int i = 0; i < kInFlight; ++i) {
        if (at + i * stride < words) dst[at + i * stride] = loaded[i];
      }
    }
  }
}

}  // namespace

absl::Status CopyCuda(const CopyCudaArgs& args, CUstream_st* stream) {
  CHECK(args.num_runs >= 0 && args.num_runs <= kCopyCudaRuns) << args.num_runs;
  if (args.num_runs == 0) return absl::OkStatus();
  const LaunchShape shape = {
      .grid = dim3(kShares, static_cast<unsigned int>(
                                std::min(args.num_runs, kLanesOfRuns))),
      .block = kThreads};
  return CudaStatus(Launch("CopyKernel", CopyKernel, shape, stream, args),
                    "CopyKernel");
}

}  // namespace hybridserve
