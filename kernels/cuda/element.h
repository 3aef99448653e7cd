#ifndef HYBRIDSERVE_KERNELS_CUDA_ELEMENT_H_
#define HYBRIDSERVE_KERNELS_CUDA_ELEMENT_H_

// Elements of each dtype on the device. Only .cu files include this.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "common/dtype.h"
#include "glog/logging.h"

namespace hybridserve {

__device__ inline float ToFloat(float x) { return x; }
__device__ inline float ToFloat(__half x) { return __half2float(x); }
__device__ inline float ToFloat(__nv_bfloat16 x) { return __bfloat162float(x); }

// To nearest even.
__device__ inline void FromFloat(float x, float& y) { y = x; }
__device__ inline void FromFloat(float x, __half& y) { y = __float2half_rn(x); }
__device__ inline void FromFloat(float x, __nv_bfloat16& y) {
  y = __float2bfloat16_rn(x);
}

// Calls use(E()) with E the element type of `dtype`, a floating point one.
template <typename Use>
auto WithElement(DType dtype, const Use& use) {
  switch (dtype) {
    case DType::kFloat16:
      return use(__half());
    case DType::kBFloat16:
      return use(__nv_bfloat16());
    default:
      CHECK(dtype == DType::kFloat32) << Name(dtype);
      return use(float());
  }
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_CUDA_ELEMENT_H_
