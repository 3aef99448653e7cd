#ifndef HYBRIDSERVE_CLIENT_CLI_BATCH_CLI_H_
#define HYBRIDSERVE_CLIENT_CLI_BATCH_CLI_H_

#include "client/interrupt.h"

namespace hybridserve {

// `hybridserve batch` as its flags say. Returns the exit code.
int BatchMain(Interrupt& interrupt);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_BATCH_CLI_H_
