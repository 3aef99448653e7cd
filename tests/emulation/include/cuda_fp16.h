#ifndef HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_FP16_H_
#define HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_FP16_H_

// Stands for CUDA's header of this name in emulated builds.

#include "cuda_runtime.h"

// NOLINTBEGIN(readability-identifier-naming)
struct __half {
  _Float16 value;
};
inline float __half2float(__half x) { return static_cast<float>(x.value); }
inline __half __float2half_rn(float x) { return {static_cast<_Float16>(x)}; }
// NOLINTEND(readability-identifier-naming)

#endif  // HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_FP16_H_
