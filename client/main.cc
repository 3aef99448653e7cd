// The `hybridserve` program: everything that talks to a scheduler, or brings
// its own (embedded mode).

#include <cstddef>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/command_table.h"
#include "client/cli/failure.h"
#include "client/commands/command.h"
#include "client/interrupt.h"
#include "common/program.h"
#include "worker/device/cuda/offer_cuda.h"

namespace hybridserve {
namespace {

// `words` are the command and what follows it.
absl::Status CheckArguments(const Command& command,
                            const std::vector<std::string>& words) {
  const size_t wanted = command.arguments.empty() ? 0 : 1;
  if (words.size() > 1 + wanted) {
    return absl::InvalidArgumentError(
        absl::StrCat("unexpected \"", words[1 + wanted], "\""));
  }
  if (words.size() == 1 + wanted &&
      (wanted == 0 || absl::c_linear_search(command.arguments, words[1]))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      command.name, " needs one of: ", absl::StrJoin(command.arguments, ", ")));
}

int Main(int argc, char** argv) {
  const std::vector<std::string> words = InitProgram(argc, argv, ClientUsage());
  OfferCuda();
  if (words.empty()) {
    return Fail(kExitUsage, absl::InvalidArgumentError(
                                "needs a command; see hybridserve --help"));
  }
  const Command* const command = FindCommand(words[0]);
  if (command == nullptr) {
    return Fail(kExitUsage, absl::InvalidArgumentError(
                                absl::StrCat("unknown command \"", words[0],
                                             "\"; see hybridserve --help")));
  }
  if (const absl::Status wrong = CheckArguments(*command, words); !wrong.ok()) {
    return Fail(kExitUsage, wrong);
  }
  // Before other threads start.
  Interrupt interrupt;
  return command->run(interrupt, words.size() > 1 ? words[1] : "");
}

}  // namespace
}  // namespace hybridserve

int main(int argc, char** argv) { return hybridserve::Main(argc, argv); }
