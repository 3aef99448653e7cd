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
  FoldLogits(logits, args.columns, lane, max, sum);
  const int64_t column = target - args.first_column;
  if (column >= 0 && column < args.columns) at_target = logits[column];

  __syncwarp();  // All lanes have read the state.
  if (lane == 0) {
    state[0] = max;
    state[1] = sum;
    state[2] = at_target;
    state[3] = 0;
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
