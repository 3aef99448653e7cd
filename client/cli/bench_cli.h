#ifndef HYBRIDSERVE_CLIENT_CLI_BENCH_CLI_H_
#define HYBRIDSERVE_CLIENT_CLI_BENCH_CLI_H_

#include "client/interrupt.h"

namespace hybridserve {

// `hybridserve bench` as its flags say. Returns the exit code.
int BenchMain(Interrupt& interrupt);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_BENCH_CLI_H_
