#ifndef HYBRIDSERVE_WORKER_DEVICE_CPU_BUFFER_H_
#define HYBRIDSERVE_WORKER_DEVICE_CPU_BUFFER_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "kernels/device/buffer.h"

namespace hybridserve {

// Bytes that may still be taken from one memory space. Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(int64_t bytes) : left_(bytes) {}

  // False, and nothing taken, if fewer than `bytes` are left.
  bool Take(int64_t bytes);
  void GiveBack(int64_t bytes) { left_ += bytes; }
  int64_t left() const { return left_; }

 private:
  std::atomic<int64_t> left_;
};

// Ordinary memory in the part of a memory space. Pages come from the kernel
// zeroed and are not touched here, so that a buffer costs what is written.
class CpuBuffer final : public Buffer {
 public:
  // Takes `bytes` from `budget`, which outlives the buffer.
  // ResourceExhausted if the budget or the machine has too few,
  // InvalidArgument if `bytes` is negative.
  static absl::StatusOr<std::unique_ptr<CpuBuffer>> Create(
      MemorySpace space, int64_t bytes, MemoryBudget& budget);
  ~CpuBuffer() override;

 private:
  CpuBuffer(MemorySpace space, void* address, int64_t bytes,
            MemoryBudget& budget);

  MemoryBudget& budget_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CPU_BUFFER_H_
