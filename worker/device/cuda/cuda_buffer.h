#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_BUFFER_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_BUFFER_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "kernels/device/buffer.h"
#include "worker/device/cuda/pinned_memory.h"

namespace hybridserve {

// Zeroed memory of the current device, or of the host for copies with it
// (PinnedMemory). InvalidArgument for a negative size, ResourceExhausted if
// there is no room.
absl::StatusOr<std::unique_ptr<Buffer>> CreateCudaBuffer(MemorySpace space,
                                                         int64_t bytes);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_BUFFER_H_
