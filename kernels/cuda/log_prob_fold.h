#ifndef HYBRIDSERVE_KERNELS_CUDA_LOG_PROB_FOLD_H_
#define HYBRIDSERVE_KERNELS_CUDA_LOG_PROB_FOLD_H_

// Log-sum-exp of a row, by one warp. Only .cu files include this.

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "kernels/cuda/warp.h"

namespace hybridserve {

// Columns folded at a time, two a lane.
inline constexpr int64_t kFoldColumns = 2 * kWarpLanes;

// Folds `columns` logits into the running (max, sum of e^(logit - max)), in
// ascending order. All lanes of a warp call with the same values, and have the
// same after.
__device__ inline void FoldLogits(const float* logits, int64_t columns,
                                  int64_t lane, float& max, float& sum) {
  for (int64_t from = 0; from < columns; from += kFoldColumns) {
    // Missing columns count as -infinity, whose exponential is 0.
    float pair[2];
    for (int i = 0; i < 2; ++i) {
      const int64_t c = from + i * kWarpLanes + lane;
      pair[i] = c < columns ? logits[c] : -INFINITY;
    }
    const float chunk_max = WarpMax(pair[1] > pair[0] ? pair[1] : pair[0]);
    const float highest = chunk_max > max ? chunk_max : max;
    // A row of nothing but -infinity so far: subtracting that would be NaN.
    const float center = highest == -INFINITY ? 0.0F : highest;
    sum = sum * expf(max - center) +
          WarpSum(expf(pair[0] - center) + expf(pair[1] - center));
    max = highest;
  }
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_CUDA_LOG_PROB_FOLD_H_
