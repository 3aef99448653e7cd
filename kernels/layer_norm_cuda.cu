// One warp a row, which is read again from L1 or L2 and needs no shared memory.
// Laid out by WarpPerRow.

#include "kernels/cuda/element.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/shapes.h"
#include "kernels/cuda/status.h"
#include "kernels/cuda/warp.h"
#include "kernels/layer_norm_cuda.h"

namespace hybridserve {
namespace {

template <typename Y>
__global__ void LayerNormKernel(LayerNormPointers args) {
  const int64_t row = RowOfWarp();
  if (row >= args.rows) return;  // A whole warp.
  const float* x = args.x + row * args.x_stride;
  Y* y = static_cast<Y*>(args.y) + row * args.y_stride;

  float mean = 0;
  if (args.center) {  // For all threads or none.
    float sum = 0;
    for (int64_t c = threadIdx.x; c < args.width; c += kWarpLanes) sum += x[c];
    mean = WarpSum(sum) / static_cast<float>(args.width);
  }

  float squares = 0;
  for (int64_t c = threadIdx.x; c < args.width; c += kWarpLanes) {
    squares += (x[c] - mean) * (x[c] - mean);
  }
  const float variance = WarpSum(squares) / static_cast<float>(args.width);
  const float scale = 1.0F / sqrtf(variance + args.epsilon);

  for (int64_t c = threadIdx.x; c < args.width; c += kWarpLanes) {
    float value = (x[c] - mean) * scale;
    if (args.gain != nullptr) value *= args.gain[c];
    if (args.bias != nullptr) value += args.bias[c];
    FromFloat(value, y[c]);
  }
}

}  // namespace

absl::Status LayerNormCuda(const LayerNormPointers& args, CUstream_st* stream) {
  // An empty grid is an error.
  if (args.rows == 0 || args.width == 0) return absl::OkStatus();
  return WithElement(args.y_dtype, [&](auto element) {
    return CudaStatus(
        Launch("LayerNormKernel", LayerNormKernel<decltype(element)>,
               WarpPerRow(args.rows), stream, args),
        "LayerNormKernel");
  });
}

}  // namespace hybridserve
