#include "worker/device/cpu_stream.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "common/status_macros.h"
#include "worker/device/copy_runs.h"
#include "worker/device/cpu_event.h"

namespace hybridserve {
namespace {

// Bytes that a modelled link delivers at once.
constexpr int64_t kPieceBytes = 256 << 10;

bool PassesLink(const CopyRun& run) {
  return run.dst.buffer->space() != run.src.buffer->space();
}

}  // namespace

absl::Status CpuStream::Copy(absl::Span<const CopyRun> runs) {
  ASSIGN_OR_RETURN(std::vector<CopyRun> merged, MergeCopyRuns(runs));
  if (merged.empty()) return absl::OkStatus();
  const bool paced = link_ != nullptr && absl::c_any_of(merged, PassesLink);
  thread_.Queue(
      [this, merged = std::move(merged), paced, queued_at = MonotonicNow()] {
        if (paced) {
          CopyOverLink(merged, queued_at);
          return absl::OkStatus();
        }
        for (const CopyRun& run : merged) {
          std::memcpy(run.dst.address(), run.src.address(), run.dst.size);
        }
        ready_at_ = MonotonicNow();
        return absl::OkStatus();
      });
  return absl::OkStatus();
}

void CpuStream::CopyOverLink(absl::Span<const CopyRun> runs,
                             absl::Time queued_at) {
  int64_t total = 0;
  for (const CopyRun& run : runs) total += PassesLink(run) ? run.dst.size : 0;
  // From when a link would have begun, not from when this thread woke up.
  const LinkPacer::Transfer transfer =
      link_->Schedule(std::max(queued_at, ready_at_), total);
  thread_.BeganAt(transfer.begin);
  int64_t arrived = 0;
  int64_t awaited = 0;
  for (const CopyRun& run : runs) {
    for (int64_t at = 0; at < run.dst.size; at += kPieceBytes) {
      const int64_t bytes = std::min(kPieceBytes, run.dst.size - at);
      std::memcpy(run.dst.address() + at, run.src.address() + at, bytes);
      if (PassesLink(run)) arrived += bytes;
      if (arrived - awaited >= kPieceBytes) {
        WaitUntil(transfer.At(static_cast<double>(arrived) /
                              static_cast<double>(total)));
        awaited = arrived;
      }
    }
  }
  WaitUntil(transfer.end);
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
