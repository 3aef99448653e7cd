#ifndef HYBRIDSERVE_KERNELS_DEVICE_DEVICE_H_
#define HYBRIDSERVE_KERNELS_DEVICE_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/work.h"
#include "kernels/device/buffer.h"

namespace hybridserve {

class Ops;
class WeightLayout;

// A point in a stream's order. Recorded any number of times; waiting means the
// last record before the wait. A never recorded event is complete.
class Event {
 public:
  virtual ~Event() = default;
  // Blocks the calling thread until the event is complete. The first error of
  // the recording stream is reported here.
  virtual absl::Status Synchronize() = 0;
  virtual bool Done() const = 0;
};

// One copy of a batch: equal sizes, no overlap between any destinations.
struct CopyRun {
  BufferView dst;
  BufferView src;
};

// What a stream is for. Backends give each its own queue: copy-in carries host
// to device (weights, ACT, KV: one ordered queue), copy-out device to host.
// Copies between host and device queued on kCopyIn and kCopyOut are paced by
// the link's bandwidth in that direction where a link is modelled.
enum class StreamKind { kCompute, kCopyIn, kCopyOut };

// Ops of one stream run in order; streams run side by side, ordered only by
// events. All calls queue and return. Thread-compatible: one thread queues.
class Stream {
 public:
  virtual ~Stream() = default;

  // Queues the copies as one operation, in any order among themselves. The
  // span is copied. Runs adjacent on both sides may be merged.
  virtual absl::Status Copy(absl::Span<const CopyRun> runs) = 0;
  // Queues: all earlier ops of this stream done => `event` complete.
  virtual absl::Status Record(Event& event) = 0;
  // Queues: later ops of this stream start only when `event`'s last record
  // (by any stream, made before this call) is complete.
  virtual absl::Status Wait(Event& event) = 0;
  // Blocks until the queue is empty; the first error of any op.
  virtual absl::Status Synchronize() = 0;

  // Names what the ops queued until the next call of Begin() are for: together
  // they are one piece of work. A piece without ops does not count.
  virtual void Begin(const WorkTag& tag) = 0;

  // Time spent running ops, pacing included, waits and idling excluded; the
  // total since the stream was made. Callable at any time.
  virtual absl::Duration busy() const = 0;
  // busy() by what it went to, ops that are done only, and how much work that
  // was. A piece counts from its first op on. Callable at any time.
  virtual PerWorkKind<WorkTotals> work() const = 0;
  virtual StreamKind kind() const = 0;
};

struct DeviceInfo {
  std::string backend;       // "cpu", "cuda", "sim"
  std::string description;   // For people.
  std::string isa;           // Instruction set path in use, for NumericsClass.
  int64_t memory_bytes = 0;  // Device memory that may be used; max if host's.
  int64_t reserved_bytes = 0;  // Of it, taken for its ops from the start.
  bool one_memory = true;  // Host and device are one memory, copies needless.
};

// Makes buffers, streams and events, and computes. Outlives all that it made.
// Thread-safe.
class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;
  // Zeroed bytes, 64-byte aligned. ResourceExhausted if there is no room.
  virtual absl::StatusOr<std::unique_ptr<Buffer>> Allocate(MemorySpace space,
                                                           int64_t bytes) = 0;
  virtual std::unique_ptr<Stream> CreateStream(StreamKind kind) = 0;
  virtual std::unique_ptr<Event> CreateEvent() = 0;
  virtual Ops& ops() = 0;
  // How this backend wants weights; see kernels/weight_layout.h.
  virtual const WeightLayout& weight_layout() const = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_DEVICE_DEVICE_H_
