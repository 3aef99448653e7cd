#ifndef HYBRIDSERVE_CLIENT_CLI_PLAN_CLI_H_
#define HYBRIDSERVE_CLIENT_CLI_PLAN_CLI_H_

#include "client/interrupt.h"

namespace hybridserve {

// `hybridserve plan` as its flags say. Returns the exit code.
int PlanMain(Interrupt& interrupt);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_PLAN_CLI_H_
