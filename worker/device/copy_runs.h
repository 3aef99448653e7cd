#ifndef HYBRIDSERVE_WORKER_DEVICE_COPY_RUNS_H_
#define HYBRIDSERVE_WORKER_DEVICE_COPY_RUNS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "kernels/device/device.h"

namespace hybridserve {

// The copies of Stream::Copy() as backends make them: none is empty, and those
// that go on from one another on both sides are one. InvalidArgument for
// unequal sizes; crashes on a view that leaves its buffer.
absl::StatusOr<std::vector<CopyRun>> MergeCopyRuns(
    absl::Span<const CopyRun> runs);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_COPY_RUNS_H_
