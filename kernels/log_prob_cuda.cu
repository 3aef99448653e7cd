// One warp a row (log_prob_fold.h).
// Laid out by WarpPerRow.

#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/log_prob_fold.h"
#include "kernels/cuda/shapes.h"
#include "kernels/cuda/status.h"
#include "kernels/cuda/warp.h"
#include "kernels/log_prob_cuda.h"

namespace hybridserve {
namespace {

// The first of `columns` logits that is `value`, which one is. All lanes of a
// warp call with the same values, and have the same.
__device__ int64_t FirstColumnOf(float value, const float* logits,
                                 int64_t columns, int64_t lane) {
  int64_t first = lane;
  while (first < columns && logits[first] != value) first += kWarpLanes;
  return -WarpMax(-first);
}

__global__ void LogProbKernel(LogProbCudaArgs args) {
  const int64_t row = RowOfWarp();
  if (row >= args.rows) return;  // A whole warp, as below.
  const int64_t target = args.targets[row];
  if (target < 0) return;
  const float* logits = args.logits + row * args.logits_stride;
  float* state = args.state + row * args.state_stride;
  const int64_t lane = threadIdx.x;

  const bool starts = args.first_column == 0;
  float max = starts ? -INFINITY : state[0];
  float sum = starts ? 0.0F : state[1];
  float at_target = starts ? 0.0F : state[2];
  float top = starts ? 0.0F : state[3];
  const float before = max;
  FoldLogits(logits, args.columns, lane, max, sum);
  if (__any_sync(kAllLanes, max > before)) {  // NaN divides lanes.
    top = static_cast<float>(args.first_column +
                             FirstColumnOf(max, logits, args.columns, lane));
  }
  const int64_t column = target - args.first_column;
  if (column >= 0 && column < args.columns) at_target = logits[column];

  __syncwarp();  // All lanes have read the state.
  if (lane == 0) {
    state[0] = max;
    state[1] = sum;
    state[2] = at_target;
    state[3] = top;
  }
}

}  // namespace

absl::Status LogProbCuda(const LogProbCudaArgs& args, CUstream_st* stream) {
  if (args.rows == 0) return absl::OkStatus();
  return CudaStatus(Launch("LogProbKernel", LogProbKernel,
                           WarpPerRow(args.rows), stream, args),
                    "LogProbKernel");
}

}  // namespace hybridserve
