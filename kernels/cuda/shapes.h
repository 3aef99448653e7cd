#ifndef HYBRIDSERVE_KERNELS_CUDA_SHAPES_H_
#define HYBRIDSERVE_KERNELS_CUDA_SHAPES_H_

// How kernels over the rows of a matrix are laid out. Only .cu files include
// this.

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/warp.h"

namespace hybridserve {

// A warp a row: blocks of (kWarpLanes, kRowsPerBlock) threads.
inline constexpr unsigned int kRowsPerBlock = 4;

// `rows` > 0.
inline LaunchShape WarpPerRow(int64_t rows) {
  return {.grid = static_cast<unsigned int>((rows + kRowsPerBlock - 1) /
                                            kRowsPerBlock),
          .block = dim3(kWarpLanes, kRowsPerBlock)};
}

// The calling thread's row; it may lie beyond the last, for a whole warp.
__device__ inline int64_t RowOfWarp() {
  return int64_t{blockIdx.x} * kRowsPerBlock + threadIdx.y;
}

// A thread a column, row after row: blocks of kColumnsPerBlock threads, by
// rows, which wrap where gridDim.y ends.
inline constexpr unsigned int kColumnsPerBlock = 128;

// Both > 0.
inline LaunchShape ThreadPerColumn(int64_t rows, int64_t columns) {
  constexpr int64_t kMostRows = 65535;  // Of gridDim.y.
  return {.grid = dim3(static_cast<unsigned int>(
                           (columns + kColumnsPerBlock - 1) / kColumnsPerBlock),
                       static_cast<unsigned int>(std::min(rows, kMostRows))),
          .block = kColumnsPerBlock};
}

// The calling thread's column; it may lie beyond the last.
__device__ inline int64_t ColumnOfThread() {
  return int64_t{blockIdx.x} * kColumnsPerBlock + threadIdx.x;
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_CUDA_SHAPES_H_
