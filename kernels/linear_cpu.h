#ifndef HYBRIDSERVE_KERNELS_LINEAR_CPU_H_
#define HYBRIDSERVE_KERNELS_LINEAR_CPU_H_

#include <cstdint>

#include "common/dtype.h"
#include "kernels/activation.h"
#include "kernels/thread_pool.h"

namespace hybridserve {

// See LinearArgs in kernels/ops.h. Row-major; strides in elements.
struct LinearCpuArgs {
  const void* x;  // [m, k] of `dtype`.
  int64_t x_stride;
  const void* weight;  // Packed by PanelLayout, [n, k] of `dtype`.
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
};

// Computes y on the pool's threads and returns when done.
//
// Exact: each element of x W^T is one chain of fused multiply-adds over k in
// ascending order that starts at 0, whatever m, n, the pool and the machine's
// vector width. Scratch memory: at most 240 * k floats, and 128 kB a thread,
// kept for the next call.
void LinearCpu(const LinearCpuArgs& args, ThreadPool& pool);

// The end of a linear layer on its own: turns x W^T of rows [first_row,
// first_row + rows), which `sums` holds, into y: bias, activation, residual,
// rounding. `sums_stride` is at least n rounded up to 16.
void FinishLinear(const LinearCpuArgs& args, int64_t first_row, int64_t rows,
                  const float* sums, int64_t sums_stride);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LINEAR_CPU_H_
