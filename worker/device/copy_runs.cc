#include "worker/device/copy_runs.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

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

absl::StatusOr<std::vector<CopyRun>> MergeCopyRuns(
    absl::Span<const CopyRun> runs) {
  std::vector<CopyRun> merged;
  for (const CopyRun& run : runs) {
    if (run.dst.size != run.src.size) {
      return absl::InvalidArgumentError(
          absl::StrCat("copy of ", run.src.size, " bytes to ", run.dst.size));
    }
    CheckInside(run.dst);
    CheckInside(run.src);
    if (run.dst.size == 0) continue;
    if (!merged.empty() && Continues(merged.back(), run)) {
      merged.back().dst.size += run.dst.size;
      merged.back().src.size += run.src.size;
    } else {
      merged.push_back(run);
    }
  }
  return merged;
}

}  // namespace hybridserve
