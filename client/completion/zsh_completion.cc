// The script leaves the work to zsh's _arguments, whose specifications are
// "--flag=[help]:message:action".

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/completion/completion_script.h"

namespace hybridserve {
namespace {

using Kind = FlagValues::Kind;

constexpr char kScript[] = R"(#compdef hybridserve
# Completion of hybridserve for zsh. Made by: hybridserve completion zsh

_hybridserve() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -C \
    '(- *)--help[print help and exit]' \
    '(- *)--version[print version and build and exit]' \
    '1:command:->command' '*:: :->rest'
  case "$state" in
    command)
      local -a commands
      commands=(
@COMMANDS@      )
      _describe -t commands command commands
      ;;
    rest)
      case "$words[1]" in
@CASES@      esac
      ;;
  esac
}

if [[ "$funcstack[1]" == _hybridserve ]]; then
  _hybridserve "$@"
else
  compdef _hybridserve hybridserve
fi
)";

std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// Inside a specification.
std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

std::string Action(const FlagValues& values) {
  const std::string words = absl::StrJoin(values.choices, " ");
  switch (values.kind) {
    case Kind::kAny:
      return " ";
    case Kind::kFile:
      return "_files";
    case Kind::kFolder:
      return "_files -/";
    case Kind::kChoice:
      return absl::StrCat("(", words, ")");
    case Kind::kChoices:
      return absl::StrCat("_values -s , value ", words);
  }
  return " ";
}

std::string Specification(const OfferedFlag& flag) {
  const std::string help = absl::StrCat("[", Escaped(flag.help), "]");
  if (flag.is_switch) {
    return absl::StrCat(Quoted(absl::StrCat("--", flag.name, help)), " ",
                        Quoted(absl::StrCat("--no", flag.name)));
  }
  return Quoted(absl::StrCat(flag.repeats ? "*" : "", "--", flag.name, "=",
                             help, ":", flag.name, ":", Action(flag.values)));
}

}  // namespace

std::string ZshCompletion(absl::Span<const OfferedCommand> commands) {
  std::string names;
  std::string cases;
  for (const OfferedCommand& command : commands) {
    absl::StrAppend(
        &names, "        ",
        Quoted(absl::StrCat(command.name, ":",
                            absl::StrReplaceAll(command.help, {{":", "\\:"}}))),
        "\n");
    absl::StrAppend(&cases, "        ", command.name, ")\n          _arguments",
                    " '--help[print help and exit]'");
    for (const OfferedFlag& flag : command.flags) {
      absl::StrAppend(&cases, " \\\n            ", Specification(flag));
    }
    if (!command.arguments.empty()) {
      absl::StrAppend(
          &cases, " \\\n            ",
          Quoted(absl::StrCat("1:argument:(",
                              absl::StrJoin(command.arguments, " "), ")")));
    }
    absl::StrAppend(&cases, "\n          ;;\n");
  }
  return absl::StrReplaceAll(kScript,
                             {{"@COMMANDS@", names}, {"@CASES@", cases}});
}

}  // namespace hybridserve
