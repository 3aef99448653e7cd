#include "worker/device/cpu_stream.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "worker/device/cpu_event.h"

namespace hybridserve {
namespace {

// True if `next` continues `run` on both sides.
bool Continues(const CopyRun& run, const CopyRun& next) {
  return run.dst.buffer == next.dst.buffer &&
         run.src.buffer == next.src.buffer &&
         run.dst.offset + run.dst.size == next.dst.offset &&
         run.src.offset + run.src.size == next.src.offset;
}

void CheckInside(const BufferView& view) {
  CHECK(view.buffer != nullptr);
  CHECK(view.offset >= 0 && view.size >= 0 &&
        view.offset + view.size <= view.buffer->size())
      << view.offset << "+" << view.size << " of " << view.buffer->size();
}

}  // namespace

absl::Status CpuStream::Copy(absl::Span<const CopyRun> runs) {
  std::vector<CopyRun> merged;
  int64_t link_bytes = 0;
  for (const CopyRun& run : runs) {
    if (run.dst.size != run.src.size) {
      return absl::InvalidArgumentError(
          absl::StrCat("copy of ", run.src.size, " bytes to ", run.dst.size));
    }
    CheckInside(run.dst);
    CheckInside(run.src);
    if (run.dst.size == 0) continue;
    if (run.dst.buffer->space() != run.src.buffer->space()) {
      link_bytes += run.dst.size;
    }
    if (!merged.empty() && Continues(merged.back(), run)) {
      merged.back().dst.size += run.dst.size;
      merged.back().src.size += run.src.size;
    } else {
      merged.push_back(run);
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
