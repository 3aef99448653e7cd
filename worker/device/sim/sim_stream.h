#ifndef HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_STREAM_H_
#define HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_STREAM_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/work.h"
#include "common/work_profile.h"
#include "kernels/device/device.h"
#include "worker/device/sim/sim_clock.h"

namespace hybridserve {

// A point in a simulated stream: known as soon as it is recorded.
// Thread-compatible.
class SimEvent final : public Event {
 public:
  // Borrowed.
  explicit SimEvent(SimClock& clock) : clock_(clock) {}

  absl::Status Synchronize() override {
    clock_.AdvanceTo(time_);
    return absl::OkStatus();
  }
  bool Done() const override { return time_ <= clock_.Now(); }

  void Set(absl::Time time) { time_ = time; }
  absl::Time time() const { return time_; }

 private:
  SimClock& clock_;
  absl::Time time_ = absl::InfinitePast();
};

// One piece of work (Stream::Begin()) as it was simulated.
struct SimPiece {
  StreamKind stream = StreamKind::kCompute;
  WorkTag tag;
  absl::Time begin;
  absl::Time end;
};
// Hears of each piece as it is queued.
using OnSimPiece = std::function<void(const SimPiece&)>;

// A stream without work: each piece (Begin()) takes what the profile says, from
// its first op on; later ops of the piece take nothing more. Since waits are
// for records made before them, the end of every op is known when it is queued.
// Thread-compatible.
class SimStream final : public Stream {
 public:
  // All are borrowed and outlive it; `on_piece` may be empty.
  SimStream(StreamKind kind, const WorkProfile& profile,
            const OnSimPiece& on_piece, SimClock& clock)
      : kind_(kind), profile_(profile), on_piece_(on_piece), clock_(clock) {}

  // Copies bytes only where both buffers have them (SimBuffer).
  absl::Status Copy(absl::Span<const CopyRun> runs) override;
  absl::Status Record(Event& event) override;
  absl::Status Wait(Event& event) override;
  absl::Status Synchronize() override;
  void Begin(const WorkTag& tag) override;
  absl::Duration busy() const override { return busy_; }
  PerWorkKind<WorkTotals> work() const override { return totals_; }
  StreamKind kind() const override { return kind_; }

  // An op of the piece begun.
  void Run();

 private:
  const StreamKind kind_;
  const WorkProfile& profile_;
  const OnSimPiece& on_piece_;
  SimClock& clock_;
  absl::Time end_ = absl::UnixEpoch();  // Of what is queued.
  WorkTag tag_;
  bool begun_ = false;  // An op of tag_'s piece was queued.
  absl::Duration busy_;
  PerWorkKind<WorkTotals> totals_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_STREAM_H_
