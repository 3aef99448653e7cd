#include "worker/device/cuda/cuda_buffer.h"

#include <cuda_runtime_api.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/cuda/status.h"

namespace hybridserve {
namespace {

class HostBuffer final : public Buffer {
 public:
  HostBuffer(PinnedMemory memory, int64_t bytes)
      : Buffer(MemorySpace::kHost, memory.address(), bytes,
               memory.pinning() != Pinning::kPageable),
        memory_(std::move(memory)) {}

 private:
  const PinnedMemory memory_;
};

class DeviceBuffer final : public Buffer {
 public:
  DeviceBuffer(void* address, int64_t bytes)
      : Buffer(MemorySpace::kDevice, address, bytes) {}
  ~DeviceBuffer() override {
    if (cudaFree(address()) != cudaSuccess) (void)cudaGetLastError();
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<Buffer>> CreateCudaBuffer(MemorySpace space,
                                                         int64_t bytes) {
  if (bytes < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a buffer of ", bytes, " bytes"));
  }
  if (space == MemorySpace::kHost) {
    ASSIGN_OR_RETURN(PinnedMemory memory, PinnedMemory::Allocate(bytes));
    return std::make_unique<HostBuffer>(std::move(memory), bytes);
  }
  if (bytes == 0) return std::make_unique<DeviceBuffer>(nullptr, 0);
  void* address = nullptr;
  const cudaError_t error = cudaMalloc(&address, bytes);
  if (error != cudaSuccess) {
    (void)cudaGetLastError();
    return CudaStatus(error,
                      absl::StrCat("device memory of ", bytes, " bytes"));
  }
  auto buffer = std::make_unique<DeviceBuffer>(address, bytes);
  RETURN_IF_ERROR(CudaStatus(cudaMemset(address, 0, bytes), "cudaMemset"));
  // The device's streams do not wait for the default one.
  RETURN_IF_ERROR(
      CudaStatus(cudaStreamSynchronize(nullptr), "clearing device memory"));
  return buffer;
}

}  // namespace hybridserve
