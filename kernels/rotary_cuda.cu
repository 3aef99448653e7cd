// One thread a pair of elements, row after row: laid out by ThreadPerColumn.

#include "kernels/cuda/element.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/shapes.h"
#include "kernels/cuda/status.h"
#include "kernels/rotary_angle.h"
#include "kernels/rotary_cuda.h"

namespace hybridserve {
namespace {

template <typename T>
__global__ void RotaryKernel(RotaryPointers args) {
  const int64_t half = args.head_dim / 2;
  const int64_t pair = ColumnOfThread();
  if (pair >= args.num_heads * half) return;
  const int64_t i = pair % half;
  const int64_t column = pair / half * args.head_dim + i;
  const float frequency = args.frequencies[i];
  for (int64_t row = blockIdx.y; row < args.rows; row += gridDim.y) {
    const int32_t position = args.positions[row];
    if (position < 0) continue;
    const Turn turn = TurnOf(static_cast<float>(position), frequency);
    T* x = static_cast<T*>(args.x) + row * args.x_stride + column;
    const float first = ToFloat(x[0]);
    const float second = ToFloat(x[half]);
    FromFloat(first * turn.cosine - second * turn.sine, x[0]);
    FromFloat(second * turn.cosine + first * turn.sine, x[half]);
  }
}

}  // namespace

absl::Status RotaryCuda(const RotaryPointers& args, CUstream_st* stream) {
  if (args.rows == 0 || args.num_heads == 0) return absl::OkStatus();
  const LaunchShape shape =
      ThreadPerColumn(args.rows, args.num_heads * args.head_dim / 2);
  return WithElement(args.dtype, [&](auto element) {
    return CudaStatus(Launch("RotaryKernel", RotaryKernel<decltype(element)>,
                             shape, stream, args),
                      "RotaryKernel");
  });
}

}  // namespace hybridserve
