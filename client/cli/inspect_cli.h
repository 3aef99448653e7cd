#ifndef HYBRIDSERVE_CLIENT_CLI_INSPECT_CLI_H_
#define HYBRIDSERVE_CLIENT_CLI_INSPECT_CLI_H_

#include "client/interrupt.h"

namespace hybridserve {

// `hybridserve status`, `health`, `models` as their flags say. Return the exit
// code.
int StatusMain(Interrupt& interrupt);
int HealthMain(Interrupt& interrupt);
int ModelsMain(Interrupt& interrupt);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_INSPECT_CLI_H_
