#ifndef HYBRIDSERVE_KERNELS_ROTARY_CUDA_H_
#define HYBRIDSERVE_KERNELS_ROTARY_CUDA_H_

#include "absl/status/status.h"
#include "kernels/rotary_pointers.h"

struct CUstream_st;  // *cudaStream_t, so that hosts need no CUDA headers.

namespace hybridserve {

// Queues it; `args` are device memory. Exact: a row's result depends on that
// row alone, bit for bit. Internal if the launch is refused.
absl::Status RotaryCuda(const RotaryPointers& args, CUstream_st* stream);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ROTARY_CUDA_H_
