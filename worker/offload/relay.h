#ifndef HYBRIDSERVE_WORKER_OFFLOAD_RELAY_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_RELAY_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device.h"

namespace hybridserve {

// How cached rows cross the link: straight, or, where the host's cache is in
// unpinned memory, by way of a pinned buffer, as FlexGen's do (PAPER.md 2.5).
// Then as much as the buffer holds is copied to it, and from there to where it
// belongs, before the next part is: one half within the host, the other over
// the link, in either direction.
//
// Both halves go to one stream, so that they run in order and count as the
// piece of work that the stream is at. Thread-compatible.
class Relay {
 public:
  // With a buffer of `bytes` on the host; 0: copies go straight. `stream` is
  // borrowed and outlives the relay. ResourceExhausted if there is no room.
  static absl::StatusOr<std::unique_ptr<Relay>> Create(Device& device,
                                                       int64_t bytes,
                                                       Stream& stream);

  // Queues the copies, in order. A run's sizes are the same (CHECKed where it
  // does not go straight); a run that the buffer does not hold goes in parts.
  // The relay outlives them.
  absl::Status Copy(absl::Span<const CopyRun> runs);

 private:
  Relay(std::unique_ptr<Buffer> buffer, Stream& stream)
      : buffer_(std::move(buffer)), stream_(stream) {}

  const std::unique_ptr<Buffer> buffer_;  // Null: copies go straight.
  Stream& stream_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_RELAY_H_
