#ifndef HYBRIDSERVE_TESTS_EMULATION_MEMORY_MAP_H_
#define HYBRIDSERVE_TESTS_EMULATION_MEMORY_MAP_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace hybridserve::emulation {

enum class MemoryClass {
  kDevice,
  kPinned,      // Of the host, allocated by the runtime.
  kRegistered,  // Of the host, allocated elsewhere and pinned.
};

struct Allocation {
  uintptr_t begin = 0;
  int64_t bytes = 0;
  MemoryClass memory = MemoryClass::kDevice;
  bool freed = false;

  uintptr_t end() const { return begin + bytes; }
};

// The memory that the emulated device knows of. What is freed stays mapped and
// known, so that a late access is found; its address is not given again.
// Thread-safe.
class MemoryMap {
 public:
  // Zeroed memory; null for 0 bytes. Some more behind it can be touched, so
  // that a kernel goes on after a fault.
  void* Allocate(int64_t bytes, MemoryClass memory);
  // False if `address` is not the begin of a live allocation of that class.
  bool Free(void* address, MemoryClass memory);
  // False if it overlaps something known and live.
  bool Register(void* address, int64_t bytes);
  bool Unregister(void* address);

  // The allocation, live or freed, that `address` lies in.
  std::optional<Allocation> Find(uintptr_t address) const;
  std::optional<Allocation> Find(const void* address) const {
    return Find(reinterpret_cast<uintptr_t>(address));
  }
  // Live ones that the runtime gave out or registered.
  std::vector<Allocation> Live() const;
  int64_t live_bytes(MemoryClass memory) const;

 private:
  mutable absl::Mutex mutex_;
  std::map<uintptr_t, Allocation> by_begin_ ABSL_GUARDED_BY(mutex_);
  std::array<int64_t, 3> live_bytes_ ABSL_GUARDED_BY(mutex_) = {};  // By class.
};

}  // namespace hybridserve::emulation

#endif  // HYBRIDSERVE_TESTS_EMULATION_MEMORY_MAP_H_
