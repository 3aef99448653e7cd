#include "worker/device/cuda/pinned_ranges.h"

namespace hybridserve {
namespace {

uintptr_t Number(const void* address) {
  return reinterpret_cast<uintptr_t>(address);
}

}  // namespace

PinnedRanges& PinnedRanges::Get() {
  static auto& ranges = *new PinnedRanges();
  return ranges;
}

void PinnedRanges::Add(const void* address, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  bytes_[Number(address)] = bytes;
}

void PinnedRanges::Remove(const void* address) {
  absl::MutexLock lock(&mutex_);
  bytes_.erase(Number(address));
}

int64_t PinnedRanges::BytesFrom(const void* address) const {
  absl::MutexLock lock(&mutex_);
  auto after = bytes_.upper_bound(Number(address));
  if (after == bytes_.begin()) return 0;
  const auto& [begin, bytes] = *--after;
  const auto offset = static_cast<int64_t>(Number(address) - begin);
  return offset < bytes ? bytes - offset : 0;
}

}  // namespace hybridserve
