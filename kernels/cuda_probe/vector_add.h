#ifndef HYBRIDSERVE_KERNELS_CUDA_PROBE_VECTOR_ADD_H_
#define HYBRIDSERVE_KERNELS_CUDA_PROBE_VECTOR_ADD_H_

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace hybridserve {

// Computes sum[i] = a[i] + b[i] on CUDA device 0 and waits for it. All three
// are host memory of one length, which may be 0.
//
// Unavailable: no driver or no device. Internal: a CUDA call failed. `sum` is
// unspecified after an error. Thread-safe.
absl::Status VectorAddCuda(absl::Span<const float> a, absl::Span<const float> b,
                           absl::Span<float> sum);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_CUDA_PROBE_VECTOR_ADD_H_
