// One thread a column, row after row: laid out by ThreadPerColumn.

#include <cmath>

#include "kernels/cuda/element.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/shapes.h"
#include "kernels/cuda/status.h"
#include "kernels/linear_finish_cuda.h"

namespace hybridserve {
namespace {

__device__ float Activate(float x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kGelu:
      return 0.5F * x * (1.0F + erff(x * 0.70710678F));  // 1 / sqrt(2)
    case Activation::kSilu:
      return x / (1.0F + expf(-x));
  }
  return x;
}

template <typename Y>
__global__ void LinearFinishKernel(LinearFinishCudaArgs args) {
  const int64_t c = ColumnOfThread();
  if (c >= args.width) return;
  const float bias = args.bias == nullptr ? 0.0F : args.bias[c];
  for (int64_t row = blockIdx.y; row < args.rows; row += gridDim.y) {
    const float sum = args.sums[row * args.sums_stride + c] + bias;
    Y& y = static_cast<Y*>(args.y)[row * args.y_stride + c];
    const float value = Activate(sum, args.activation);
    FromFloat(args.multiply ? ToFloat(y) * value : value, y);
  }
}

}  // namespace

absl::Status LinearFinishCuda(const LinearFinishCudaArgs& args,
                              CUstream_st* stream) {
  if (args.rows == 0 || args.width == 0) return absl::OkStatus();
  const LaunchShape shape = ThreadPerColumn(args.rows, args.width);
  return WithElement(args.y_dtype, [&](auto element) {
    return CudaStatus(
        Launch("LinearFinishKernel", LinearFinishKernel<decltype(element)>,
               shape, stream, args),
        "LinearFinishKernel");
  });
}

}  // namespace hybridserve
