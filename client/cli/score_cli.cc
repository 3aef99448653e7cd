#include "client/cli/score_cli.h"

#include <iostream>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "client/cli/backend.h"
#include "client/cli/failure.h"
#include "client/cli/shared_flags.h"
#include "client/commands/score_command.h"
#include "common/flag_error.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

absl::StatusOr<ScoreCommandOptions> ScoreFromFlags() {
  ScoreCommandOptions options;
  ASSIGN_OR_RETURN(options.format, FormatFromFlags());
  options.model = absl::GetFlag(FLAGS_model);
  options.input = absl::GetFlag(FLAGS_input);
  options.window = absl::GetFlag(FLAGS_window);
  if (options.input.empty()) return WrongFlag("input", "is required");
  if (options.window.has_value() && *options.window < 1) {
    return WrongFlag("window", "must be at least 1");
  }
  return options;
}

}  // namespace

int ScoreMain(Interrupt&) {
  const auto options = ScoreFromFlags();
  if (!options.ok()) return Fail(kExitUsage, options.status());
  return RunOnBackend(true, [&](auto channel) {
    return RunScore(*options, std::move(channel), std::cout);
  });
}

}  // namespace hybridserve
