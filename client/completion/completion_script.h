#ifndef HYBRIDSERVE_CLIENT_COMPLETION_COMPLETION_SCRIPT_H_
#define HYBRIDSERVE_CLIENT_COMPLETION_COMPLETION_SCRIPT_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "client/completion/flag_values.h"

namespace hybridserve {

// A flag, as a shell offers it.
struct OfferedFlag {
  std::string name;        // Without dashes.
  std::string help;        // One line.
  bool is_switch = false;  // --name and --noname.
  bool repeats = false;
  FlagValues values;  // Of none if it is a switch.
};

// A command, as a shell offers it.
struct OfferedCommand {
  std::string name;
  std::string help;                    // One line.
  std::vector<std::string> arguments;  // It takes one of them; or none.
  std::vector<OfferedFlag> flags;
};

// Scripts that make a shell complete `hybridserve`: its commands, their
// arguments and flags, and the values of those. Pure.
std::string BashCompletion(absl::Span<const OfferedCommand> commands);
std::string ZshCompletion(absl::Span<const OfferedCommand> commands);
std::string FishCompletion(absl::Span<const OfferedCommand> commands);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_COMPLETION_COMPLETION_SCRIPT_H_
