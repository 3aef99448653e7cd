#ifndef HYBRIDSERVE_KERNELS_LINEAR_CPU_ARGS_H_
#define HYBRIDSERVE_KERNELS_LINEAR_CPU_ARGS_H_

#include <cstdint>

#include "common/dtype.h"
#include "kernels/activation.h"

namespace hybridserve {

// See LinearArgs in kernels/ops.h. Row-major; strides in elements.
struct LinearCpuArgs {
  const void* x;  // [m, k] of `dtype`.
  int64_t x_stride;
  const void* weight;  // Packed by the kernel's layout, [n, k] of `dtype`.
  DType dtype;         // float32 or bfloat16.
  const float* bias;   // [n], or null.
  void* y;             // [m, n] of `y_dtype`.
  int64_t y_stride;
  DType y_dtype;  // float32 or `dtype`.
  int64_t m;
  int64_t n;
  int64_t k;
  Activation activation = Activation::kNone;
  bool accumulate = false;  // y += ...; y is float32.
  bool multiply = false;    // y *= ...
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LINEAR_CPU_ARGS_H_
