#include "worker/device/sim/sim_stream.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "worker/device/sim/sim_buffer.h"

namespace hybridserve {

absl::Status SimStream::Copy(absl::Span<const CopyRun> runs) {
  for (const CopyRun& run : runs) {
    if (run.dst.size != run.src.size) {
      return absl::InvalidArgumentError(
          absl::StrCat("copy of ", run.src.size, " bytes to ", run.dst.size));
    }
    if (SimBuffer::HasBytes(*run.dst.buffer) &&
        SimBuffer::HasBytes(*run.src.buffer)) {
      std::memcpy(run.dst.address(), run.src.address(), run.dst.size);
    }
  }
  Run();
  return absl::OkStatus();
}

void SimStream::Begin(const WorkTag& tag) {
  tag_ = tag;
  begun_ = false;
}

void SimStream::Run() {
  end_ = std::max(end_, clock_.Now());
  if (begun_ || tag_.resumes) return;
  begun_ = true;
  const absl::Duration takes = profile_.Predict(tag_.kind, 1, tag_.units);
  if (on_piece_) {
    on_piece_(
        {.stream = kind_, .tag = tag_, .begin = end_, .end = end_ + takes});
  }
  end_ += takes;
  busy_ += takes;
  totals_[tag_.kind] +=
      WorkTotals{.count = 1, .units = tag_.units, .busy = takes};
}

absl::Status SimStream::Record(Event& event) {
  static_cast<SimEvent&>(event).Set(std::max(end_, clock_.Now()));
  return absl::OkStatus();
}

absl::Status SimStream::Wait(Event& event) {
  end_ = std::max(end_, static_cast<SimEvent&>(event).time());
  return absl::OkStatus();
}

absl::Status SimStream::Synchronize() {
  clock_.AdvanceTo(end_);
  return absl::OkStatus();
}

}  // namespace hybridserve
