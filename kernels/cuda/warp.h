#ifndef HYBRIDSERVE_KERNELS_CUDA_WARP_H_
#define HYBRIDSERVE_KERNELS_CUDA_WARP_H_

// What the lanes of a warp do together. Only .cu files include this.

#include <cuda_runtime.h>

namespace hybridserve {

inline constexpr int kWarpLanes = 32;
inline constexpr unsigned int kAllLanes = 0xffffffff;

// The sum over all lanes, in an order that depends on nothing; every lane has
// it. All 32 lanes call.
__device__ inline float WarpSum(float value) {
  for (int lanes = kWarpLanes / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, lanes);
  }
  return value;
}

// The same for the largest value.
template <typename T>
__device__ T WarpMax(T value) {
  for (int lanes = kWarpLanes / 2; lanes > 0; lanes /= 2) {
    const T other = __shfl_xor_sync(kAllLanes, value, lanes);
    value = other > value ? other : value;
  }
  return value;
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_CUDA_WARP_H_
