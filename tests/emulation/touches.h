#ifndef HYBRIDSERVE_TESTS_EMULATION_TOUCHES_H_
#define HYBRIDSERVE_TESTS_EMULATION_TOUCHES_H_

#include <array>
#include <cstdint>
#include <optional>

#include "tests/emulation/warp_exchange.h"

namespace hybridserve::emulation {

// Where a thread of a kernel was when it touched memory.
struct ThreadPoint {
  uint32_t block = 0;
  int32_t thread = 0;       // In its block; its warp is thread / 32.
  uint32_t barriers = 0;    // Of the block, so far.
  uint32_t warp_syncs = 0;  // Of all lanes of its warp, so far.
};

inline bool SameWarp(const ThreadPoint& a, const ThreadPoint& b) {
  return a.block == b.block && a.thread / kWarpSize == b.thread / kWarpSize;
}

// Whether what a thread did at `before` is sure to be done, and seen, at
// `after`: the same thread, or a barrier of both in between. A kernel's blocks
// are never ordered.
inline bool Ordered(const ThreadPoint& before, const ThreadPoint& after) {
  if (before.block != after.block) return false;
  if (before.thread == after.thread) return true;
  if (before.barriers < after.barriers) return true;
  return SameWarp(before, after) && before.warp_syncs < after.warp_syncs;
}

enum class AccessKind { kRead, kWrite, kAtomic };

// Who touched one location within a kernel.
class Touches {
 public:
  // Adds an access; returns an earlier one that races with it: not ordered, not
  // both reads, not both atomic.
  std::optional<ThreadPoint> Add(AccessKind kind, const ThreadPoint& point);
  bool written() const { return write_.has_value(); }
  bool touched() const { return written() || readers_[0].has_value(); }

 private:
  void AddReader(const ThreadPoint& point);

  std::optional<ThreadPoint> write_;  // The last one.
  bool write_is_atomic_ = false;
  // Readers since then; two are enough to find one that is not the writer, of
  // two warps where there were such.
  std::array<std::optional<ThreadPoint>, 2> readers_;
};

}  // namespace hybridserve::emulation

#endif  // HYBRIDSERVE_TESTS_EMULATION_TOUCHES_H_
