#include "tests/emulation/memory_map.h"

#include <sys/mman.h>

#include <iterator>

namespace hybridserve::emulation {
namespace {

constexpr int64_t kSlackBytes = 1 << 20;

uintptr_t AddressOf(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer);
}

}  // namespace

void* MemoryMap::Allocate(int64_t bytes, MemoryClass memory) {
  if (bytes <= 0) return nullptr;
  void* const base = mmap(nullptr, bytes + kSlackBytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  absl::MutexLock lock(&mutex_);
  by_begin_[AddressOf(base)] = {
      .begin = AddressOf(base), .bytes = bytes, .memory = memory};
  live_bytes_[static_cast<size_t>(memory)] += bytes;
  return base;
}

bool MemoryMap::Free(void* address, MemoryClass memory) {
  absl::MutexLock lock(&mutex_);
  const auto it = by_begin_.find(AddressOf(address));
  if (it == by_begin_.end() || it->second.freed ||
      it->second.memory != memory) {
    return false;
  }
  it->second.freed = true;
  live_bytes_[static_cast<size_t>(memory)] -= it->second.bytes;
  // Its pages go back; its addresses do not.
  madvise(address, it->second.bytes, MADV_DONTNEED);
  return true;
}

bool MemoryMap::Register(void* address, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  const uintptr_t begin = AddressOf(address);
  const auto next = by_begin_.lower_bound(begin);
  if (next != by_begin_.end() && next->first < begin + bytes &&
      !next->second.freed) {
    return false;
  }
  if (next != by_begin_.begin()) {
    const Allocation& before = std::prev(next)->second;
    if (before.end() > begin && !before.freed) return false;
  }
  by_begin_[begin] = {
      .begin = begin, .bytes = bytes, .memory = MemoryClass::kRegistered};
  return true;
}

bool MemoryMap::Unregister(void* address) {
  absl::MutexLock lock(&mutex_);
  const auto it = by_begin_.find(AddressOf(address));
  if (it == by_begin_.end() || it->second.memory != MemoryClass::kRegistered) {
    return false;
  }
  by_begin_.erase(it);  // Its addresses are its owner's.
  return true;
}

std::optional<Allocation> MemoryMap::Find(uintptr_t address) const {
  absl::MutexLock lock(&mutex_);
  auto it = by_begin_.upper_bound(address);
  if (it == by_begin_.begin()) return std::nullopt;
  --it;
  if (address >= it->second.end()) return std::nullopt;
  return it->second;
}

std::vector<Allocation> MemoryMap::Live() const {
  absl::MutexLock lock(&mutex_);
  std::vector<Allocation> live;
  for (const auto& [begin, allocation] : by_begin_) {
    if (!allocation.freed) live.push_back(allocation);
  }
  return live;
}

int64_t MemoryMap::live_bytes(MemoryClass memory) const {
  absl::MutexLock lock(&mutex_);
  return live_bytes_[static_cast<size_t>(memory)];
}

}  // namespace hybridserve::emulation
