#ifndef HYBRIDSERVE_KERNELS_LOG_PROB_CUDA_H_
#define HYBRIDSERVE_KERNELS_LOG_PROB_CUDA_H_

#include <cstdint>

#include "absl/status/status.h"

struct CUstream_st;  // *cudaStream_t, so that hosts need no CUDA headers.

namespace hybridserve {

// See LogProbArgs in kernels/ops.h. Device memory; row-major, strides in
// elements.
struct LogProbCudaArgs {
  const float* logits;  // [rows, columns]
  int64_t logits_stride;
  int64_t columns;
  int64_t first_column;
  const int32_t* targets;  // [rows]; -1: the row is left alone.
  float* state;  // [rows, 4]: max, sum of e^(logit - max), target's logit, 0.
  int64_t state_stride;
  int64_t rows;
};

// Queues it. Exact: a row's state depends on its logits alone, bit for bit,
// however the columns were sliced at multiples of 64. Internal if the launch is
// refused.
absl::Status LogProbCuda(const LogProbCudaArgs& args, CUstream_st* stream);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LOG_PROB_CUDA_H_
