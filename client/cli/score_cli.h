#ifndef HYBRIDSERVE_CLIENT_CLI_SCORE_CLI_H_
#define HYBRIDSERVE_CLIENT_CLI_SCORE_CLI_H_

#include "client/interrupt.h"

namespace hybridserve {

// `hybridserve score` as its flags say. Returns the exit code.
int ScoreMain(Interrupt& interrupt);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_SCORE_CLI_H_
