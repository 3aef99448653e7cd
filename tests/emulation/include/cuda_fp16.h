#ifndef HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_FP16_H_
#define HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_FP16_H_

// Stands for CUDA's header of this name in emulated builds.

#include "cuda_runtime.h"
#include "kernels/element_convert.h"

// NOLINTBEGIN(readability-identifier-naming)
struct __half {
  uint16_t bits;
};
inline float __half2float(__half x) {
  return hybridserve::Float16ToFloat(x.bits);
}
inline __half __float2half_rn(float x) {
  return {hybridserve::FloatToFloat16(x)};
}
// NOLINTEND(readability-identifier-naming)

#endif  // HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_FP16_H_
