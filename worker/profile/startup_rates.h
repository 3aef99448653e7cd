#ifndef HYBRIDSERVE_WORKER_PROFILE_STARTUP_RATES_H_
#define HYBRIDSERVE_WORKER_PROFILE_STARTUP_RATES_H_

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/worker_info.h"
#include "worker/offload/engine_resources.h"

namespace hybridserve {

// Measures, each alone and warm, the rates that the closed-form mix needs
// (PAPER.md 4.4): the link in both directions, by copies of some MiB, and the
// GEMM that rebuilds keys, over many rows. Takes well under a second on
// anything but a tiny machine.
//
// Call before the engine allocates its buffers: the memory used here is less
// than theirs and is given back.
absl::StatusOr<WorkerProfile> MeasureStartupRates(
    const EngineResources& resources, const Clock& clock);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_PROFILE_STARTUP_RATES_H_
