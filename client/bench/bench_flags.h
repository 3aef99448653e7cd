#ifndef HYBRIDSERVE_CLIENT_BENCH_BENCH_FLAGS_H_
#define HYBRIDSERVE_CLIENT_BENCH_BENCH_FLAGS_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "client/bench/bench_command.h"
#include "client/bench/bench_runner.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/flags/scheduler_flags.h"

namespace hybridserve {

// The flags of `hybridserve bench` alone: --policies, --batch and the like,
// defined in bench_flags.cc. --act_ratio may be a list here, and counts for
// hybrid; so may --recompute_ratio, for recompute, and --flexgen_relay, for
// flexgen. `embedded`: without
// --server, so that policies can be chosen. Model, seed and format are left to
// the caller.
//
// InvalidArgument naming the flag.
absl::StatusOr<BenchCommandOptions> BenchCommandFromFlags(bool embedded);

// How many sequences may run at once: a batch that is asked for runs, unless
// --max_running says otherwise.
int64_t MaxRunningFor(const SchedulerOptions& scheduler,
                      std::optional<int64_t> batch);

// The policy as scheduler/flags takes it.
PolicyFlags PolicyFlagsOf(const BenchPolicy& policy);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_BENCH_FLAGS_H_
