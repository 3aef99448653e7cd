// The `hybridserve` program: everything that talks to a scheduler, or brings
// its own (embedded mode).

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cli/command_table.h"
#include "client/cli/failure.h"
#include "client/commands/command.h"
#include "client/interrupt.h"
#include "common/program.h"
#include "worker/device/cuda/offer_cuda.h"

namespace hybridserve {
namespace {

int Main(int argc, char** argv) {
  const std::vector<std::string> words = InitProgram(
      argc, argv,
      {.name = "hybridserve",
       .text = CommandUsage(),
       .groups = {{"requests and output", "client/"},
                  {"with --model_dir, model and device", "worker/"},
                  {"with --model_dir, batching and cache", "scheduler/"},
                  {"all programs'", "common/"}},
       .takes_arguments = true,
       .log_level = "error"});
  OfferCuda();
  if (words.size() != 1) {
    return Fail(
        kExitUsage,
        absl::InvalidArgumentError(
            words.empty() ? "needs a command; see hybridserve --help"
                          : absl::StrCat("unexpected \"", words[1], "\"")));
  }
  const Command* const command = FindCommand(words[0]);
  if (command == nullptr) {
    return Fail(kExitUsage, absl::InvalidArgumentError(
                                absl::StrCat("unknown command \"", words[0],
                                             "\"; see hybridserve --help")));
  }
  // Before other threads start.
  Interrupt interrupt;
  return command->run(interrupt);
}

}  // namespace
}  // namespace hybridserve

int main(int argc, char** argv) { return hybridserve::Main(argc, argv); }
