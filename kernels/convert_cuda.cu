// One thread a column, row after row: laid out by ThreadPerColumn.

#include "kernels/convert_cuda.h"
#include "kernels/cuda/element.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/shapes.h"
#include "kernels/cuda/status.h"

namespace hybridserve {
namespace {

template <typename X, typename Y>
__global__ void ConvertKernel(ConvertCudaArgs args) {
  const int64_t c = ColumnOfThread();
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
  const LaunchShape shape = ThreadPerColumn(args.rows, args.width);
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
