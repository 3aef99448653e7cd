#ifndef HYBRIDSERVE_CLIENT_POLICY_WORKER_H_
#define HYBRIDSERVE_CLIENT_POLICY_WORKER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "client/bench/bench_runner.h"
#include "scheduler/policy/policy.h"
#include "worker/worker_options.h"

namespace hybridserve {

// `worker` with what `policy`, in the same process, needs of it, where the
// options leave it open.
WorkerOptions WorkerForPolicy(WorkerOptions worker, const Policy& policy);

// The same for the policies of a bench. Recompute gets the room that its
// largest share and the requests' positions take: one worker does for all.
absl::StatusOr<WorkerOptions> WorkerForBench(WorkerOptions worker,
                                             const BenchPolicy& policy,
                                             const BenchOptions& bench);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_POLICY_WORKER_H_
