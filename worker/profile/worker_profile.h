#ifndef HYBRIDSERVE_WORKER_PROFILE_WORKER_PROFILE_H_
#define HYBRIDSERVE_WORKER_PROFILE_WORKER_PROFILE_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/model_config.h"
#include "common/work.h"
#include "common/work_profile.h"
#include "common/worker_info.h"
#include "worker/offload/engine_resources.h"
#include "worker/worker_options.h"

namespace hybridserve {

// `work` and the rates of many units that follow from it; infinite for what
// costs nothing. Pure.
WorkerProfile WithRates(WorkProfile work, const ModelConfig& config);

// A profile of now (work_profiler.h). Errors of the device.
absl::StatusOr<WorkerProfile> MeasureWorkerProfile(EngineResources& resources);

// The profile that a worker registers: measured now (work_profiler.h), or read
// from options.profile_file where that has one of the same setting. A profile
// that is measured is saved there. Errors of the device; InvalidArgument for a
// file that is no profile.
absl::StatusOr<WorkerProfile> MakeWorkerProfile(
    const WorkerOptions& options, EngineResources& resources,
    absl::FunctionRef<void(WorkKind)> progress);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_PROFILE_WORKER_PROFILE_H_
