#ifndef HYBRIDSERVE_CLIENT_BENCH_RUN_COSTS_H_
#define HYBRIDSERVE_CLIENT_BENCH_RUN_COSTS_H_

#include <vector>

#include "client/bench/bench_runner.h"

namespace hybridserve {

// Holds every pass against what its worker's work cost on average of the whole
// run: a shared machine's speed changes from one second to the next, faster
// than passes follow each other, so that the measurement before a pass is but
// one sample. What workers in other settings cost is no sample of it.
// `warm_ups[i]` is of the same policy as `results[i]`.
void SetIdealsOfTheRun(const std::vector<PassResult>& warm_ups,
                       std::vector<BenchResult>& results);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_RUN_COSTS_H_
