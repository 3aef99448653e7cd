#ifndef HYBRIDSERVE_CLIENT_CLI_COMMAND_TABLE_H_
#define HYBRIDSERVE_CLIENT_CLI_COMMAND_TABLE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/interrupt.h"

namespace hybridserve {

// A word after `hybridserve`.
struct Command {
  absl::string_view name;
  // One or more lines for --help, the first after the name.
  absl::string_view help;
  // Reads its flags and does it. Returns the exit code; says on stderr what
  // went wrong.
  int (*run)(Interrupt& interrupt);
};

// All there are, in the order of --help.
absl::Span<const Command> Commands();

// Null: there is none of that name.
const Command* FindCommand(absl::string_view name);

// What --help begins with: how to call the program, and the commands.
std::string CommandUsage();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_COMMAND_TABLE_H_
