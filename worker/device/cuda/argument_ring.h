#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_ARGUMENT_RING_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_ARGUMENT_RING_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "kernels/device/buffer.h"
#include "worker/device/cuda/cuda_event.h"
#include "worker/device/cuda/cuda_stream.h"

namespace hybridserve {

// Arguments of ops that are too large to pass with the launch, on their way to
// the device. A slot of the ring is used again when the op that read it is
// done; the host waits for that only if it is a whole ring ahead.
// Thread-compatible.
class ArgumentRing {
 public:
  static absl::StatusOr<std::unique_ptr<ArgumentRing>> Create(
      int slots, int64_t slot_bytes);

  // Queues the copy of `bytes` on `stream` and returns where the ops queued
  // after it find them, 64-byte aligned; they may write there. By a kernel, not
  // by the copy engine, which may be busy with a piece of weights for
  // milliseconds. More bytes than a slot has make the ring larger, which waits
  // for all that is queued on the device: slots are large enough for models.
  absl::StatusOr<char*> Upload(CudaStream& stream,
                               absl::Span<const char> bytes);
  // The last op that reads the last upload is queued.
  absl::Status Release(CudaStream& stream);

 private:
  explicit ArgumentRing(int slots) : used_(slots) {
    for (auto& event : used_) event = std::make_unique<CudaEvent>();
  }

  absl::Status Allocate(int64_t slot_bytes);

  std::vector<std::unique_ptr<CudaEvent>> used_;  // By slot.
  size_t next_ = 0;
  int64_t slot_bytes_ = 0;
  std::unique_ptr<Buffer> host_;
  std::unique_ptr<Buffer> device_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_ARGUMENT_RING_H_
