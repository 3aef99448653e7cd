#ifndef HYBRIDSERVE_CLIENT_CLI_COMMAND_TABLE_H_
#define HYBRIDSERVE_CLIENT_CLI_COMMAND_TABLE_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/cli/command_entry.h"
#include "common/program.h"

namespace hybridserve {

// All there are, in the order of --help.
absl::Span<const Command> Commands();

// Null: there is none of that name.
const Command* FindCommand(absl::string_view name);

// What --help shows: how to call the program, the commands, all flags.
ProgramUsage ClientUsage();

// What `hybridserve COMMAND --help` shows: that command and its flags. Of all,
// if `name` is no command's.
ProgramUsage CommandUsage(absl::string_view name);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_COMMAND_TABLE_H_
