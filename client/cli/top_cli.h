#ifndef HYBRIDSERVE_CLIENT_CLI_TOP_CLI_H_
#define HYBRIDSERVE_CLIENT_CLI_TOP_CLI_H_

#include "client/interrupt.h"

namespace hybridserve {

// `hybridserve top` as its flags say. Returns the exit code.
int TopMain(Interrupt& interrupt);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_TOP_CLI_H_
