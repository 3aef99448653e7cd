#ifndef HYBRIDSERVE_WORKER_FLAGS_WORKER_FLAGS_H_
#define HYBRIDSERVE_WORKER_FLAGS_WORKER_FLAGS_H_

#include "absl/status/statusor.h"
#include "worker/worker_options.h"

namespace hybridserve {

// The flags that say what a worker is made from: --model_dir, --device_memory
// and the like (worker --help). Defined in worker_flags.cc, once, for the
// worker program and for the client's embedded mode.
//
// InvalidArgument naming the flag.
absl::StatusOr<WorkerOptions> WorkerOptionsFromFlags();

// True if --model_dir is given.
bool HasModelDirFlag();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_FLAGS_WORKER_FLAGS_H_
