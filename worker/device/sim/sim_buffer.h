#ifndef HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_BUFFER_H_
#define HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_BUFFER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "kernels/device/buffer.h"

namespace hybridserve {

// Addresses without memory, so that a model of any size can be simulated: pages
// are reserved, read as zeros, and become real only where somebody writes.
// Simulated work never writes, but for buffers of at most kMaxRealBytes: those
// have bytes, so that token ids pass through them.
class SimBuffer final : public Buffer {
 public:
  static constexpr int64_t kMaxRealBytes = 64 << 10;

  // ResourceExhausted if the address space has no room.
  static absl::StatusOr<std::unique_ptr<Buffer>> Create(MemorySpace space,
                                                        int64_t bytes);
  ~SimBuffer() override;

  static bool HasBytes(const Buffer& buffer) {
    return buffer.size() <= kMaxRealBytes;
  }

 private:
  SimBuffer(MemorySpace space, void* address, int64_t size)
      : Buffer(space, address, size) {}
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_BUFFER_H_
