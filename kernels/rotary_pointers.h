#ifndef HYBRIDSERVE_KERNELS_ROTARY_POINTERS_H_
#define HYBRIDSERVE_KERNELS_ROTARY_POINTERS_H_

#include <cstdint>

#include "common/dtype.h"

namespace hybridserve {

inline constexpr int64_t kMaxRotaryHeadDim = 1024;

// What every implementation of RotaryArgs (kernels/ops.h) takes, in its memory.
// Row-major; strides in elements.
struct RotaryPointers {
  void* x;  // [rows, num_heads * head_dim] of `dtype`.
  int64_t x_stride;
  DType dtype;  // A floating point one that the implementation computes in.
  int64_t rows;
  int64_t num_heads;
  int64_t head_dim;
  const float* frequencies;  // [head_dim / 2]
  const int32_t* positions;  // [rows]; -1: the row stays as it is.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ROTARY_POINTERS_H_
