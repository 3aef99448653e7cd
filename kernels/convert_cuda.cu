// One thread an element, row after row. Grid: as many blocks as a column of
// kThreads elements a row takes, by rows; the latter wrap at kMostRows.

#include <algorithm>

#include "kernels/convert_cuda.h"
#include "kernels/cuda/element.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/status.h"

namespace hybridserve {
namespace {

constexpr unsigned int kThreads = 128;
constexpr int64_t kMostRows = 65535;  // Of gridDim.y.

template <typename X, typename Y>
__global__ void ConvertKernel(ConvertCudaArgs args) {
  const int64_t c = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (c >= args.width) return;
  for (int64_t row = blockIdx.y; row < args.rows; row += gridDim.y) {
    const X* x = static_cast<const X*>(args.x) + row * args.x_stride;
    Y* y = static_cast<Y*>(args.y) + row * args.y_stride;
    FromFloat(ToFloat(x[c]), y[c]);
  }
}

}  // namespace

absl::Status ConvertCuda(const ConvertCudaArgs& args, CUstream_st* stream) {
  if (args.rows == 0 || args.width == 0) return absl::OkStatus();
  const LaunchShape shape = {
      .grid = dim3(
          static_cast<unsigned int>((args.width + kThreads - 1) / kThreads),
          static_cast<unsigned int>(std::min(args.rows, kMostRows))),
      .block = kThreads};
  return WithElement(args.x_dtype, [&](auto x) {
    return WithElement(args.y_dtype, [&](auto y) {
      return CudaStatus(
          Launch("ConvertKernel", ConvertKernel<decltype(x), decltype(y)>,
                 shape, stream, args),
          "ConvertKernel");
    });
  });
}

}  // namespace hybridserve
