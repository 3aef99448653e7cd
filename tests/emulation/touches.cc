#include "tests/emulation/touches.h"

namespace hybridserve::emulation {

std::optional<ThreadPoint> Touches::Add(AccessKind kind,
                                        const ThreadPoint& point) {
  std::optional<ThreadPoint> race;
  const bool both_atomic = kind == AccessKind::kAtomic && write_is_atomic_;
  if (write_.has_value() && !both_atomic && !Ordered(*write_, point)) {
    race = write_;
  }
  if (kind == AccessKind::kRead) {
    AddReader(point);
    return race;
  }
  for (std::optional<ThreadPoint>& reader : readers_) {
    if (reader.has_value() && !Ordered(*reader, point)) race = reader;
    reader.reset();
  }
  write_ = point;
  write_is_atomic_ = kind == AccessKind::kAtomic;
  return race;
}

void Touches::AddReader(const ThreadPoint& point) {
  for (std::optional<ThreadPoint>& reader : readers_) {
    if (reader.has_value() && !Ordered(*reader, point)) continue;
    reader = point;
    return;
  }
  // A writer of one warp may come after all readers of its own.
  if (SameWarp(*readers_[0], *readers_[1]) && !SameWarp(*readers_[0], point)) {
    readers_[1] = point;
  }
}

}  // namespace hybridserve::emulation
