#ifndef HYBRIDSERVE_CLIENT_CLI_COMMAND_ENTRY_H_
#define HYBRIDSERVE_CLIENT_CLI_COMMAND_ENTRY_H_

#include <string>

#include "absl/flags/commandlineflag.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/interrupt.h"

namespace hybridserve {

// What a command works on: --server and the flags beside it, --model_dir and
// the flags beside it, either, or neither.
enum class Reaches { kNothing, kServer, kModel, kServerOrModel };

// A word after `hybridserve`.
struct Command {
  absl::string_view name;
  // One or more lines for --help, the first after the name.
  absl::string_view help;
  // Reads its flags and does it; `argument` is empty unless `arguments` is not.
  // Returns the exit code; says on stderr what went wrong.
  int (*run)(Interrupt& interrupt, const std::string& argument);
  Reaches reaches;
  // Flags that it takes besides those and all programs': each one flag, or a
  // file that defines some.
  absl::Span<const absl::string_view> flags;
  // What it takes one of after its name: "bash", "zsh". Empty: nothing.
  absl::Span<const absl::string_view> arguments;
};

// Whether the command's flags hold this one.
bool TakesFlag(const Command& command, const absl::CommandLineFlag& flag);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_COMMAND_ENTRY_H_
