#ifndef HYBRIDSERVE_KERNELS_LINEAR_FINISH_CUDA_H_
#define HYBRIDSERVE_KERNELS_LINEAR_FINISH_CUDA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/dtype.h"
#include "kernels/activation.h"

struct CUstream_st;  // *cudaStream_t, so that hosts need no CUDA headers.

namespace hybridserve {

// What follows a product x W^T in LinearArgs (kernels/ops.h): y = act(sums +
// bias), or y *= that with `multiply`, in float32, rounded once. Device memory;
// row-major, strides in elements.
struct LinearFinishCudaArgs {
  const float* sums;  // [rows, width]
  int64_t sums_stride;
  const float* bias;  // [width], or null: 0.
  void* y;            // [rows, width] of `y_dtype`; may be `sums`, but not
                      // with `multiply`.
  int64_t y_stride;
  DType y_dtype;  // A floating point one.
  int64_t rows;
  int64_t width;
  Activation activation;
  bool multiply;
};

// Queues it. Internal if the launch is refused.
absl::Status LinearFinishCuda(const LinearFinishCudaArgs& args,
                              CUstream_st* stream);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LINEAR_FINISH_CUDA_H_
