#include "client/cli/command_entry.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/program.h"

namespace hybridserve {
namespace {

bool ReachesServer(Reaches reaches) {
  return reaches == Reaches::kServer || reaches == Reaches::kServerOrModel;
}

bool ReachesModel(Reaches reaches) {
  return reaches == Reaches::kModel || reaches == Reaches::kServerOrModel;
}

}  // namespace

bool TakesFlag(const Command& command, const absl::CommandLineFlag& flag) {
  const std::string source = SourceOf(flag);
  if (absl::StartsWith(source, "common/")) return true;
  if (source == "client/cli/backend.cc") return ReachesServer(command.reaches);
  if (absl::StartsWith(source, "worker/") ||
      absl::StartsWith(source, "scheduler/")) {
    return ReachesModel(command.reaches);
  }
  const std::string name = absl::StrCat("--", flag.Name());
  return std::any_of(command.flags.begin(), command.flags.end(),
                     [&](absl::string_view taken) {
                       return taken == name || taken == source;
                     });
}

}  // namespace hybridserve
