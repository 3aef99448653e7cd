#ifndef HYBRIDSERVE_CLIENT_CLI_FAILURE_H_
#define HYBRIDSERVE_CLIENT_CLI_FAILURE_H_

#include "absl/status/status.h"

namespace hybridserve {

// Says on stderr, in one line, what went wrong, and returns `code`.
int Fail(int code, const absl::Status& status);

// How a command that brings its own worker ends: only that may find out that a
// flag is wrong. Returns the exit code; says what went wrong.
int End(const absl::Status& status);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_FAILURE_H_
