#ifndef HYBRIDSERVE_KERNELS_LINEAR_FINISH_H_
#define HYBRIDSERVE_KERNELS_LINEAR_FINISH_H_

#include <cstdint>

#include "kernels/linear_cpu_args.h"

namespace hybridserve {

// A part of a linear layer's result whose products are summed.
struct LinearSums {
  // x W^T: [rows][stride]; readable up to `columns` rounded up to 16.
  const float* sums;
  int64_t stride;
  int64_t first_row;  // Of y.
  int64_t rows;
  int64_t first_column;  // Of y.
  int64_t columns;
};

// The end of a linear layer: writes that part of y, with bias, activation or
// residual, and one rounding to y's dtype. The same bits on every vector
// width.
void FinishLinear(const LinearCpuArgs& args, const LinearSums& part);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LINEAR_FINISH_H_
