#ifndef HYBRIDSERVE_WORKER_PROFILE_WORK_PROFILER_H_
#define HYBRIDSERVE_WORKER_PROFILE_WORK_PROFILER_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/work.h"
#include "common/work_profile.h"
#include "worker/offload/engine_resources.h"

namespace hybridserve {

// Times every kind of work of a step alone, at three to five sizes each, and
// fits lines (PAPER.md 1.3, 4.8): copies in blocks and rows as steps make them,
// and the decoder's own ops with layer 0's weights. Takes a few seconds at the
// most. Copies over the link cost nothing where host and device are one memory.
//
// `progress` hears of each kind before it is timed. Call before the engine
// allocates its buffers: those used here are no larger, and are given back.
// The cache's content is overwritten.
absl::StatusOr<WorkProfile> MeasureWork(
    EngineResources& resources, absl::FunctionRef<void(WorkKind)> progress);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_PROFILE_WORK_PROFILER_H_
