#ifndef HYBRIDSERVE_KERNELS_LAYER_NORM_POINTERS_H_
#define HYBRIDSERVE_KERNELS_LAYER_NORM_POINTERS_H_

#include <cstdint>

#include "common/dtype.h"

namespace hybridserve {

// What every implementation of LayerNormArgs (kernels/ops.h) takes, in its
// memory. Row-major; strides in elements.
struct LayerNormPointers {
  const float* x;  // [rows, width]
  int64_t x_stride;
  const float* gain;  // [width], or null: 1.
  const float* bias;  // [width], or null: 0.
  void* y;            // [rows, width] of `y_dtype`; may be x.
  int64_t y_stride;
  DType y_dtype;  // A floating point one that the implementation computes in.
  int64_t rows;
  int64_t width;
  float epsilon;
  bool center;  // False: the mean is taken to be 0.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LAYER_NORM_POINTERS_H_
