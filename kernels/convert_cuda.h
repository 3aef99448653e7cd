#ifndef HYBRIDSERVE_KERNELS_CONVERT_CUDA_H_
#define HYBRIDSERVE_KERNELS_CONVERT_CUDA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/dtype.h"

struct CUstream_st;  // *cudaStream_t, so that hosts need no CUDA headers.

namespace hybridserve {

// See ConvertArgs in kernels/ops.h. Device memory; row-major, strides in
// elements; floating point dtypes.
struct ConvertCudaArgs {
  const void* x;  // [rows, width] of `x_dtype`.
  DType x_dtype;
  int64_t x_stride;
  void* y;  // [rows, width] of `y_dtype`.
  DType y_dtype;
  int64_t y_stride;
  int64_t rows;
  int64_t width;
};

// Queues it. Internal if the launch is refused.
absl::Status ConvertCuda(const ConvertCudaArgs& args, CUstream_st* stream);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_CONVERT_CUDA_H_
