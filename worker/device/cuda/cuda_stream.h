#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_STREAM_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_STREAM_H_

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/work.h"
#include "kernels/device/device.h"
#include "worker/device/cuda/cuda_event.h"

struct CUstream_st;  // *cudaStream_t, so that others need no CUDA headers.

namespace hybridserve {

// A stream of a device. What its ops take is timed by pairs of
// events around each run of ops without a wait between them.
class CudaStream final : public Stream {
 public:
  // Of device `ordinal`, which is current.
  CudaStream(StreamKind kind, int ordinal);
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  ~CudaStream() override;  // Waits for what is queued.

  absl::Status Copy(absl::Span<const CopyRun> runs) override;
  absl::Status Record(Event& event) override;
  absl::Status Wait(Event& event) override;
  absl::Status Synchronize() override;
  void Begin(const WorkTag& tag) override;
  absl::Duration busy() const override;
  PerWorkKind<WorkTotals> work() const override;
  StreamKind kind() const override { return kind_; }

  // Where an op is to be queued, now: it counts as work.
  CUstream_st* ForOp();
  // Records `event` in the midst of a piece of work, which goes on.
  absl::Status Mark(CudaEvent& event);

 private:
  // A run of ops of one piece of work.
  struct Span {
    std::unique_ptr<CudaEvent> begin;
    std::unique_ptr<CudaEvent> end;
    WorkTag tag;
    bool first = false;  // Of its piece, which it counts.
  };

  // Ends the run of ops, if there is one.
  void EndSpan();
  std::unique_ptr<CudaEvent> TakeEvent();
  // Adds up the spans that are done.
  void Harvest() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const StreamKind kind_;
  const int ordinal_;
  CUstream_st* stream_ = nullptr;
  WorkTag tag_;
  bool begun_ = false;  // The piece has had an op.
  std::optional<Span> open_;

  mutable absl::Mutex mutex_;
  mutable std::deque<Span> closed_ ABSL_GUARDED_BY(mutex_);
  mutable std::vector<std::unique_ptr<CudaEvent>> free_events_
      ABSL_GUARDED_BY(mutex_);
  mutable absl::Duration busy_ ABSL_GUARDED_BY(mutex_);
  mutable PerWorkKind<WorkTotals> totals_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_STREAM_H_
