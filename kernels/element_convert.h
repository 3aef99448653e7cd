#ifndef HYBRIDSERVE_KERNELS_ELEMENT_CONVERT_H_
#define HYBRIDSERVE_KERNELS_ELEMENT_CONVERT_H_

#include <bit>
#include <cstdint>

#include "common/dtype.h"

namespace hybridserve {

// Bits of a bfloat16 to float32: exact.
inline float BFloat16ToFloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

// Rounds to nearest even; NaN stays NaN (made quiet).
inline uint16_t FloatToBFloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
    return static_cast<uint16_t>((bits >> 16) | 0x40U);
  }
  return static_cast<uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

// Bits of an IEEE half to float32: exact, subnormals included.
float Float16ToFloat(uint16_t bits);
// Rounds to nearest even; beyond the range to infinity.
uint16_t FloatToFloat16(float value);

// Converts `count` elements between float32, bfloat16 and float16, rounding to
// nearest even where bits are lost. Neither pointer need be aligned; no
// overlap unless they are equal and the sizes are too.
void ConvertElements(DType from_dtype, const void* from, DType to_dtype,
                     void* to, int64_t count);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ELEMENT_CONVERT_H_
