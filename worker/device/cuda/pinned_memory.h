#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_PINNED_MEMORY_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_PINNED_MEMORY_H_

#include <cstdint>

#include "absl/status/statusor.h"

namespace hybridserve {

// Most bytes that are pinned by one call. Larger ones fail in odd ways or hold
// the driver's locks for minutes.
inline constexpr int64_t kPinnedChunkBytes = int64_t{64} << 30;

// How host memory came about. The further down, the slower its copies.
enum class Pinning {
  kAllocated,   // By cudaHostAlloc.
  kRegistered,  // Mapped, then cudaHostRegister, chunk by chunk.
  kPageable,    // Neither was possible: copies are slow and synchronous.
};

// Zeroed host memory for copies to and from the device, pinned if that is at
// all possible; says so on a loud log line if it is not. Owned.
class PinnedMemory {
 public:
  // ResourceExhausted if there is no memory. 0 bytes are fine.
  static absl::StatusOr<PinnedMemory> Allocate(
      int64_t bytes, int64_t chunk_bytes = kPinnedChunkBytes);
  PinnedMemory(PinnedMemory&& other) noexcept;
  PinnedMemory& operator=(PinnedMemory&& other) = delete;
  ~PinnedMemory();

  void* address() const { return address_; }
  Pinning pinning() const { return pinning_; }

 private:
  PinnedMemory(void* address, int64_t bytes, int64_t chunk_bytes,
               Pinning pinning)
      : address_(address),
        bytes_(bytes),
        chunk_bytes_(chunk_bytes),
        pinning_(pinning) {}

  void* address_;
  int64_t bytes_;
  int64_t chunk_bytes_;
  Pinning pinning_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_PINNED_MEMORY_H_
