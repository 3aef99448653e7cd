#include "worker/device/cuda/copy_plan.h"

#include <algorithm>
#include <cstdint>

#include "kernels/copy_cuda.h"

namespace hybridserve {
namespace {

// Bytes from the begin of `view` on that one copy may take; 0 for memory of the
// host that is not pinned, which has no ends.
int64_t BytesAtOnce(const BufferView& view, const PinnedRanges& pinned) {
  return view.buffer->space() == MemorySpace::kDevice
             ? view.size
             : std::min(view.size, pinned.BytesFrom(view.address()));
}

bool IsAligned(const BufferView& view) {
  return reinterpret_cast<uintptr_t>(view.address()) % kCopyCudaAlignment ==
             0 &&
         view.size % kCopyCudaAlignment == 0;
}

}  // namespace

CopyPlan PlanCopies(absl::Span<const CopyRun> merged,
                    const PinnedRanges& pinned) {
  CopyPlan plan;
  bool fits = true;
  int64_t total = 0;
  for (const CopyRun& run : merged) {
    for (int64_t done = 0; done < run.dst.size;) {
      CopyRun rest = {run.dst.Slice(done, run.dst.size - done),
                      run.src.Slice(done, run.src.size - done)};
      const int64_t to = BytesAtOnce(rest.dst, pinned);
      const int64_t from = BytesAtOnce(rest.src, pinned);
      const int64_t whole = rest.dst.size;
      const int64_t bytes =
          std::min(to == 0 ? whole : to, from == 0 ? whole : from);
      rest = {rest.dst.Slice(0, bytes), rest.src.Slice(0, bytes)};
      // Within the host it would cross the link twice.
      const bool is_on_device =
          rest.dst.buffer->space() == MemorySpace::kDevice ||
          rest.src.buffer->space() == MemorySpace::kDevice;
      fits = fits && to != 0 && from != 0 && is_on_device &&
             IsAligned(rest.dst) && IsAligned(rest.src);
      plan.runs.push_back(rest);
      done += bytes;
      total += bytes;
    }
  }
  const auto count = static_cast<int64_t>(plan.runs.size());
  plan.by_kernel = fits && count >= kFewRuns && total < count * kSmallRunBytes;
  return plan;
}

}  // namespace hybridserve
