#ifndef HYBRIDSERVE_KERNELS_LAYER_NORM_CPU_H_
#define HYBRIDSERVE_KERNELS_LAYER_NORM_CPU_H_

#include <cstdint>

#include "common/dtype.h"
#include "kernels/thread_pool.h"

namespace hybridserve {

// See LayerNormArgs in kernels/ops.h. Row-major; strides in elements.
struct LayerNormCpuArgs {
  const float* x;  // [rows, width]
  int64_t x_stride;
  const float* gain;  // [width], or null: 1.
  const float* bias;  // [width], or null: 0.
  void* y;            // [rows, width] of `y_dtype`; may be x.
  int64_t y_stride;
  DType y_dtype;  // float32 or bfloat16.
  int64_t rows;
  int64_t width;
  float epsilon;
};

// Exact: a row's result depends on that row alone, bit for bit, on every
// vector width.
void LayerNormCpu(const LayerNormCpuArgs& args, ThreadPool& pool);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LAYER_NORM_CPU_H_
