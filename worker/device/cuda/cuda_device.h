#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_DEVICE_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_DEVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/device/device.h"
#include "worker/device/cuda/cublas_names.h"

namespace hybridserve {

struct CudaDeviceOptions {
  int ordinal = 0;               // As the driver counts devices.
  bool batch_invariant = false;  // CudaOpsOptions.
  std::vector<std::string> cublas_libraries = CublasLibraryNames();
};

// An NVIDIA GPU. Unavailable without a driver, a device of that number or
// cuBLAS; ResourceExhausted if its memory is full.
absl::StatusOr<std::unique_ptr<Device>> CreateCudaDevice(
    const CudaDeviceOptions& options);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_DEVICE_H_
