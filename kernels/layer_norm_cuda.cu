// One warp a row, which is read again from L1 or L2 and needs no shared memory.
// Grid: ceil(rows / kWarpsPerBlock) blocks of (kWarpLanes, kWarpsPerBlock).

#include "kernels/cuda/element.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/status.h"
#include "kernels/cuda/warp.h"
#include "kernels/layer_norm_cuda.h"

namespace hybridserve {
namespace {

constexpr unsigned int kWarpsPerBlock = 4;

template <typename Y>
__global__ void LayerNormKernel(LayerNormCudaArgs args) {
  const int64_t row = int64_t{blockIdx.x} * kWarpsPerBlock + threadIdx.y;
  if (row >= args.rows) return;  // A whole warp.
  const float* x = args.x + row * args.x_stride;
  Y* y = static_cast<Y*>(args.y) + row * args.y_stride;

  float sum = 0;
  for (int64_t c = threadIdx.x; c < args.width; c += kWarpLanes) sum += x[c];
  const float mean = WarpSum(sum) / static_cast<float>(args.width);

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

absl::Status LayerNormCuda(const LayerNormCudaArgs& args, CUstream_st* stream) {
  // An empty grid is an error.
  if (args.rows == 0 || args.width == 0) return absl::OkStatus();
  const LaunchShape shape = {
      .grid = static_cast<unsigned int>((args.rows + kWarpsPerBlock - 1) /
                                        kWarpsPerBlock),
      .block = dim3(kWarpLanes, kWarpsPerBlock)};
  return WithElement(args.y_dtype, [&](auto element) {
    return CudaStatus(
        Launch("LayerNormKernel", LayerNormKernel<decltype(element)>, shape,
               stream, args),
        "LayerNormKernel");
  });
}

}  // namespace hybridserve
