#include "worker/device/cpu_stream.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "worker/device/copy_runs.h"
#include "worker/device/cpu_event.h"

namespace hybridserve {

absl::Status CpuStream::Copy(absl::Span<const CopyRun> runs) {
  ASSIGN_OR_RETURN(std::vector<CopyRun> merged, MergeCopyRuns(runs));
  int64_t link_bytes = 0;
  for (const CopyRun& run : merged) {
    if (run.dst.buffer->space() != run.src.buffer->space()) {
      link_bytes += run.dst.size;
    }
  }
  thread_.Queue([this, merged = std::move(merged), link_bytes,
                 queued_at = MonotonicNow()] {
    for (const CopyRun& run : merged) {
      std::memcpy(run.dst.address(), run.src.address(), run.dst.size);
    }
    if (link_ != nullptr && link_bytes > 0) {
      // From when a link would have begun, not from when this thread woke up.
      const LinkPacer::Transfer transfer =
          link_->Schedule(std::max(queued_at, ready_at_), link_bytes);
      thread_.BeganAt(transfer.begin);
      WaitUntil(transfer.end);
    } else if (!merged.empty()) {
      ready_at_ = MonotonicNow();
    }
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuStream::Record(Event& event) {
  std::shared_ptr<Latch> record = static_cast<CpuEvent&>(event).NewRecord();
  thread_.QueueMarker([record](const absl::Status& so_far) {
    record->Open(so_far);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuStream::Wait(Event& event) {
  std::shared_ptr<Latch> record = static_cast<CpuEvent&>(event).last_record();
  if (record == nullptr) return absl::OkStatus();
  thread_.QueueMarker([this, record](const absl::Status&) {
    absl::Status status = record->Wait();
    ready_at_ = std::max(ready_at_, record->opened_at());
    return status;
  });
  return absl::OkStatus();
}

}  // namespace hybridserve
