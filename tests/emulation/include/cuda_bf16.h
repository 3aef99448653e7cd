#ifndef HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_BF16_H_
#define HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_BF16_H_

// Stands for CUDA's header of this name in emulated builds.

#include "cuda_runtime.h"

// NOLINTBEGIN(readability-identifier-naming)
struct __nv_bfloat16 {
  uint16_t bits;
};
inline float __bfloat162float(__nv_bfloat16 x) {
  return __uint_as_float(uint32_t{x.bits} << 16);
}
// To nearest even; a NaN is CUDA's.
inline __nv_bfloat16 __float2bfloat16_rn(float x) {
  if (std::isnan(x)) return {0x7fff};
  const uint32_t bits = __float_as_uint(x);
  return {static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}
// NOLINTEND(readability-identifier-naming)

#endif  // HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_BF16_H_
