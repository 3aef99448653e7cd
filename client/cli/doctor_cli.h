#ifndef HYBRIDSERVE_CLIENT_CLI_DOCTOR_CLI_H_
#define HYBRIDSERVE_CLIENT_CLI_DOCTOR_CLI_H_

#include "client/interrupt.h"

namespace hybridserve {

// `hybridserve doctor` as its flags say. Returns the exit code: 1 if something
// is a problem.
int DoctorMain(Interrupt& interrupt);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_DOCTOR_CLI_H_
