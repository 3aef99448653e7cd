#ifndef HYBRIDSERVE_TESTS_EMULATION_KERNEL_MEMORY_H_
#define HYBRIDSERVE_TESTS_EMULATION_KERNEL_MEMORY_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tests/emulation/block.h"
#include "tests/emulation/fault_log.h"
#include "tests/emulation/memory_map.h"
#include "tests/emulation/touches.h"

namespace hybridserve {
// All shared memory of the block that runs; what kernels declare as
// `extern __shared__`.
constexpr int64_t kMostSharedBytes = 227 << 10;
extern unsigned char cuda_shared_memory[kMostSharedBytes];
}  // namespace hybridserve

namespace hybridserve::emulation {

// Bytes [begin, end) that an operation reads or writes.
struct ByteRange {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  bool written = false;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// Judges what one kernel's threads do to memory, access by access: it must be
// live memory that the device reaches, aligned, and no two threads may touch it
// unordered unless both read. Thread-compatible.
class KernelMemory final : public AccessListener {
 public:
  // `map` is borrowed.
  explicit KernelMemory(const MemoryMap& map) : map_(map) {}

  void OnAccess(const void* address, int64_t bytes, AccessKind kind,
                bool scalar) override;

  // What the kernel read and wrote of device and pinned memory, merged.
  std::vector<ByteRange> Ranges() const;

 private:
  void OnShared(const KernelThread& thread, int64_t offset, int64_t bytes,
                AccessKind kind);
  void OnGlobal(const KernelThread& thread, const Allocation& allocation,
                uintptr_t address, int64_t bytes, AccessKind kind);

  const MemoryMap& map_;
  // The allocation that `address` lies in, as MemoryMap::Find.
  const Allocation* Find(uintptr_t address);

  // Found last, latest first; most accesses are to these. Unused: 0 bytes.
  std::array<Allocation, 8> last_;
  // Elements are two bytes wide or more.
  static constexpr uintptr_t kGranule = 2;
  static constexpr uintptr_t kPageGranules = 1024;
  using Page = std::array<Touches, kPageGranules>;

  Touches& Global(uintptr_t granule);

  // By address / kGranule / kPageGranules.
  absl::flat_hash_map<uintptr_t, std::unique_ptr<Page>> pages_;
  Page* last_page_ = nullptr;  // Found last, and its number.
  uintptr_t last_page_number_ = 0;
  std::vector<Touches> shared_;  // A byte each, of the block that runs.
  int64_t shared_block_ = -1;    // That one, by its number.
};

}  // namespace hybridserve::emulation

#endif  // HYBRIDSERVE_TESTS_EMULATION_KERNEL_MEMORY_H_
