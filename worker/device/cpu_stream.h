#ifndef HYBRIDSERVE_WORKER_DEVICE_CPU_STREAM_H_
#define HYBRIDSERVE_WORKER_DEVICE_CPU_STREAM_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "kernels/device/device.h"
#include "worker/device/link_pacer.h"
#include "worker/device/stream_thread.h"

namespace hybridserve {

// A thread, and the link that its copies between host and device pass.
//
// An error of any op sticks: later ops are skipped, events still complete and
// report it, and streams that wait for such an event fail with it too.
class CpuStream final : public Stream {
 public:
  // `link` is null where copies are not paced; it outlives the stream.
  CpuStream(StreamKind kind, LinkPacer* link) : kind_(kind), link_(link) {}

  // InvalidArgument, and nothing queued, if a run's sizes differ.
  absl::Status Copy(absl::Span<const CopyRun> runs) override;
  absl::Status Record(Event& event) override;
  absl::Status Wait(Event& event) override;
  absl::Status Synchronize() override { return thread_.Drain(); }
  void Begin(const WorkTag& tag) override { thread_.QueueTag(tag); }
  absl::Duration busy() const override { return thread_.busy(); }
  PerWorkKind<WorkTotals> work() const override { return thread_.work(); }
  StreamKind kind() const override { return kind_; }

  // Queues an op.
  void Queue(StreamThread::Work work) { thread_.Queue(std::move(work)); }

 private:
  // Piece by piece, as the link's bytes arrive: all at once they would take the
  // memory from those who compute, at times, and leave it idle at others.
  void CopyOverLink(absl::Span<const CopyRun> runs, absl::Time queued_at);

  const StreamKind kind_;
  LinkPacer* const link_;
  // When the last event that the stream waited for was there, or the last copy
  // that no link carried was done. The thread's.
  absl::Time ready_at_ = absl::InfinitePast();
  StreamThread thread_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CPU_STREAM_H_
