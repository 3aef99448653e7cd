// A line of the script is one thing to offer, and when: a flag stands once,
// with all the commands that take it.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/completion/completion_script.h"

namespace hybridserve {
namespace {

using Kind = FlagValues::Kind;

constexpr char kComplete[] = "complete -c hybridserve";

std::string Quoted(const std::string& text) {
  return absl::StrCat(
      "'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

// What follows the flag.
std::string Values(const FlagValues& values) {
  switch (values.kind) {
    case Kind::kAny:
      return " -x";
    case Kind::kFile:
      return " -r -F";
    case Kind::kFolder:
      return " -x -a '(__fish_complete_directories)'";
    case Kind::kChoice:
    case Kind::kChoices:
      return absl::StrCat(" -x -a ",
                          Quoted(absl::StrJoin(values.choices, " ")));
  }
  return "";
}

std::string Seen(const std::vector<std::string>& commands) {
  return absl::StrCat(" -n ",
                      Quoted(absl::StrCat("__fish_seen_subcommand_from ",
                                          absl::StrJoin(commands, " "))));
}

}  // namespace

std::string FishCompletion(absl::Span<const OfferedCommand> commands) {
  std::string out = absl::StrCat(
      "# Completion of hybridserve for fish. Made by: hybridserve completion "
      "fish\n\n",
      kComplete, " -f\n", kComplete, " -l help -d 'print help and exit'\n",
      kComplete,
      " -n __fish_use_subcommand -l version -d 'print version and build and "
      "exit'\n");
  // By name: which commands take it.
  std::map<std::string, std::pair<const OfferedFlag*, std::vector<std::string>>>
      flags;
  for (const OfferedCommand& command : commands) {
    absl::StrAppend(&out, kComplete, " -n __fish_use_subcommand -a ",
                    command.name, " -d ", Quoted(command.help), "\n");
    if (!command.arguments.empty()) {
      absl::StrAppend(&out, kComplete, Seen({command.name}), " -a ",
                      Quoted(absl::StrJoin(command.arguments, " ")), "\n");
    }
    for (const OfferedFlag& flag : command.flags) {
      flags[flag.name].first = &flag;
      flags[flag.name].second.push_back(command.name);
    }
  }
  for (const auto& [name, taken] : flags) {
    const auto& [flag, takers] = taken;
    absl::StrAppend(&out, kComplete, Seen(takers), " -l ", name,
                    flag->is_switch ? "" : Values(flag->values), " -d ",
                    Quoted(flag->help), "\n");
    if (flag->is_switch) {
      absl::StrAppend(&out, kComplete, Seen(takers), " -l no", name, "\n");
    }
  }
  return out;
}

}  // namespace hybridserve
