#ifndef HYBRIDSERVE_CLIENT_CLI_GENERATE_CLI_H_
#define HYBRIDSERVE_CLIENT_CLI_GENERATE_CLI_H_

#include "client/interrupt.h"

namespace hybridserve {

// `hybridserve generate` as its flags say. Returns the exit code.
int GenerateMain(Interrupt& interrupt);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_GENERATE_CLI_H_
