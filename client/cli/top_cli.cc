#include "client/cli/top_cli.h"

#include <iostream>
#include <string>
#include <utility>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cli/backend.h"
#include "client/cli/failure.h"
#include "client/cli/shared_flags.h"
#include "client/commands/command.h"
#include "client/top/screen.h"
#include "client/top/top_command.h"
#include "common/flag_error.h"
#include "common/status_macros.h"

ABSL_DECLARE_FLAG(std::string, server);  // client/cli/backend
ABSL_FLAG(bool, once, false, "top: one frame, then exit.");
ABSL_FLAG(absl::Duration, interval, absl::Seconds(1),
          "top: time between frames, over which rates are taken.");

namespace hybridserve {
namespace {

absl::StatusOr<TopOptions> TopFromFlags() {
  TopOptions options;
  ASSIGN_OR_RETURN(options.format, FormatFromFlags());
  options.server = absl::GetFlag(FLAGS_server);
  options.once = absl::GetFlag(FLAGS_once);
  options.interval = absl::GetFlag(FLAGS_interval);
  if (options.interval < kMinTopInterval ||
      options.interval > kMaxTopInterval) {
    return WrongFlag(
        "interval",
        absl::StrCat("must be in [", absl::FormatDuration(kMinTopInterval),
                     ", ", absl::FormatDuration(kMaxTopInterval), "]"));
  }
  return options;
}

}  // namespace

int TopMain(Interrupt& interrupt) {
  const auto options = TopFromFlags();
  if (!options.ok()) return Fail(kExitUsage, options.status());
  return RunOnBackend(false, [&](auto channel) {
    return RunTop(*options, std::move(channel), interrupt, StdoutIsTerminal(),
                  std::cout);
  });
}

}  // namespace hybridserve
