#ifndef HYBRIDSERVE_WORKER_PROFILE_WORK_TIMER_H_
#define HYBRIDSERVE_WORKER_PROFILE_WORK_TIMER_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/work.h"
#include "common/work_profile.h"
#include "kernels/device/device.h"

namespace hybridserve {

// A piece of work of some size: queues its ops.
using QueueWork = absl::FunctionRef<absl::Status(int64_t size)>;
// Makes ready for a piece of some size, and waits until that is done.
using PrepareWork = absl::FunctionRef<absl::Status(int64_t size)>;

// Times pieces of `kind` on an otherwise idle stream and fits a line. For each
// of `sizes` (ascending) the piece runs once to warm up and then up to nine
// times, fewer where it is slow; its sample is the median of what the stream
// counts as busy. Sizes after one that took more than a quarter of a second
// are left out, once two were timed.
//
// `units_of` gives the units of a piece of a size (common/work.h). `prepare`
// comes before every run and is not timed. The first error of the device, or
// of `prepare` or `queue`. No sizes: a fit without samples.
absl::StatusOr<WorkFit> TimeWork(
    Stream& stream, WorkKind kind, absl::Span<const int64_t> sizes,
    absl::FunctionRef<double(int64_t size)> units_of, PrepareWork prepare,
    QueueWork queue);

// With nothing to prepare.
absl::StatusOr<WorkFit> TimeWork(
    Stream& stream, WorkKind kind, absl::Span<const int64_t> sizes,
    absl::FunctionRef<double(int64_t size)> units_of, QueueWork queue);

// `count` sizes from 1 to `most`, a constant factor apart, each once; ends with
// `most`. Empty if most < 1.
std::vector<int64_t> SpacedSizes(int64_t most, int count);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_PROFILE_WORK_TIMER_H_
