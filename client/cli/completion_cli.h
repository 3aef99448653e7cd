#ifndef HYBRIDSERVE_CLIENT_CLI_COMPLETION_CLI_H_
#define HYBRIDSERVE_CLIENT_CLI_COMPLETION_CLI_H_

#include <string>

#include "absl/types/span.h"
#include "client/cli/command_entry.h"

namespace hybridserve {

// `hybridserve completion SHELL`: prints its script, for these commands.
// Returns the exit code.
int CompletionMain(absl::Span<const Command> commands,
                   const std::string& shell);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_COMPLETION_CLI_H_
