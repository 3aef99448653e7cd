#ifndef HYBRIDSERVE_KERNELS_LAYER_NORM_CUDA_H_
#define HYBRIDSERVE_KERNELS_LAYER_NORM_CUDA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/dtype.h"

struct CUstream_st;  // *cudaStream_t, so that hosts need no CUDA headers.

namespace hybridserve {

// See LayerNormArgs in kernels/ops.h. Device memory; row-major, strides in
// elements.
struct LayerNormCudaArgs {
  const float* x;  // [rows, width]
  int64_t x_stride;
  const float* gain;  // [width], or null: 1.
  const float* bias;  // [width], or null: 0.
  void* y;            // [rows, width] of `y_dtype`; may be x.
  int64_t y_stride;
  DType y_dtype;  // A floating point one.
  int64_t rows;
  int64_t width;
  float epsilon;
};

// Queues it. Exact: a row's result depends on that row alone, bit for bit.
// Internal if the launch is refused.
absl::Status LayerNormCuda(const LayerNormCudaArgs& args, CUstream_st* stream);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LAYER_NORM_CUDA_H_
