#include "client/cli/inspect_cli.h"

#include <iostream>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "client/cli/backend.h"
#include "client/cli/failure.h"
#include "client/cli/shared_flags.h"
#include "client/commands/command.h"
#include "client/commands/inspect_commands.h"

ABSL_FLAG(std::string, service, "",
          "health: the service or model to ask for. Empty: the server.");
ABSL_FLAG(bool, show_profile, false, "status: also show measured rates.");

namespace hybridserve {

int StatusMain(Interrupt&) {
  const auto format = FormatFromFlags();
  if (!format.ok()) return Fail(kExitUsage, format.status());
  return RunOnBackend(false, [&](auto channel) {
    return RunStatus(*format, absl::GetFlag(FLAGS_show_profile),
                     std::move(channel), std::cout);
  });
}

int HealthMain(Interrupt&) {
  const auto format = FormatFromFlags();
  if (!format.ok()) return Fail(kExitUsage, format.status());
  return RunOnBackend(false, [&](auto channel) {
    return RunHealth(absl::GetFlag(FLAGS_service), std::move(channel),
                     std::cout);
  });
}

int ModelsMain(Interrupt&) {
  const auto format = FormatFromFlags();
  if (!format.ok()) return Fail(kExitUsage, format.status());
  return RunOnBackend(true, [&](auto channel) {
    return RunModels(*format, std::move(channel), std::cout);
  });
}

}  // namespace hybridserve
