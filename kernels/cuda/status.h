#ifndef HYBRIDSERVE_KERNELS_CUDA_STATUS_H_
#define HYBRIDSERVE_KERNELS_CUDA_STATUS_H_

// Only .cu files and the cuda backend include this.

#include <cuda_runtime_api.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// OK, or what went wrong with `call`: Unavailable where there is no device or
// driver, ResourceExhausted for memory, Internal for the rest.
inline absl::Status CudaStatus(cudaError_t error, absl::string_view call) {
  if (error == cudaSuccess) return absl::OkStatus();
  const std::string message =
      absl::StrCat(call, ": ", cudaGetErrorString(error));
  switch (error) {
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
      return absl::UnavailableError(message);
    case cudaErrorMemoryAllocation:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_CUDA_STATUS_H_
