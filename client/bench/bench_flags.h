#ifndef HYBRIDSERVE_CLIENT_BENCH_BENCH_FLAGS_H_
#define HYBRIDSERVE_CLIENT_BENCH_BENCH_FLAGS_H_

#include "absl/status/statusor.h"
#include "client/bench/bench_command.h"

namespace hybridserve {

// The flags of `hybridserve bench` alone: --policies, --batch and the like,
// defined in bench_flags.cc. --act_ratio may be a list here, and counts for
// hybrid. `embedded`: without --server, so that policies can be chosen. Model,
// seed and format are left to the caller.
//
// InvalidArgument naming the flag; Unimplemented for a policy that is not
// built yet.
absl::StatusOr<BenchCommandOptions> BenchCommandFromFlags(bool embedded);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_BENCH_FLAGS_H_
