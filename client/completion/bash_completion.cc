// The script keeps to what bash has without the bash-completion package. Bash
// takes "--flag=value" apart at the "=", which is a word of its own then.

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/completion/completion_script.h"

namespace hybridserve {
namespace {

using Kind = FlagValues::Kind;

constexpr char kScript[] =
    R"(# Completion of hybridserve for bash. Made by: hybridserve completion bash

_hybridserve_offer() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -P "$prefix" "$@" -- "$cur"))
}

_hybridserve_words() {
  local words
  printf -v words '%s\n' "$@"
  _hybridserve_offer -W "$words"
}

_hybridserve() {
  local cur="${COMP_WORDS[COMP_CWORD]}" prev="" flag="" prefix="" command="" i
  COMPREPLY=()
  if ((COMP_CWORD > 0)); then prev="${COMP_WORDS[COMP_CWORD - 1]}"; fi
  if [[ "$cur" == "=" ]]; then
    flag="$prev"
    cur=""
  elif [[ "$prev" == "=" ]]; then
    flag="${COMP_WORDS[COMP_CWORD - 2]}"
  elif [[ "$cur" == --*=* ]]; then
    flag="${cur%%=*}"
    prefix="$flag="
    cur="${cur#*=}"
  else
    case "$prev" in
      @SWITCHES@) ;;
      --*) flag="$prev" ;;
    esac
  fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "${COMP_WORDS[i]}" in
      @COMMANDS_CASE@)
        command="${COMP_WORDS[i]}"
        break
        ;;
    esac
  done

  case "$flag" in
    "") ;;
@VALUES@    *) return ;;
  esac
  if [[ -n "$flag" ]]; then return; fi

  if [[ "$cur" != -* ]]; then
    case "$command" in
      "") _hybridserve_words @COMMANDS@ ;;
@ARGUMENTS@    esac
    return
  fi
  case "$command" in
@FLAGS@  esac
  # The value follows at once.
  if [[ ${#COMPREPLY[@]} == 1 && "${COMPREPLY[0]}" == *= ]]; then
    compopt -o nospace 2> /dev/null
  fi
}

complete -F _hybridserve hybridserve
)";

std::string ValuesCase(const OfferedFlag& flag) {
  const std::string words = absl::StrJoin(flag.values.choices, " ");
  switch (flag.values.kind) {
    case Kind::kAny:
      return "";
    case Kind::kFile:
      return "compopt -o filenames 2> /dev/null; _hybridserve_offer -f";
    case Kind::kFolder:
      return "compopt -o filenames -o nospace 2> /dev/null; "
             "_hybridserve_offer -d";
    case Kind::kChoice:
      return absl::StrCat("_hybridserve_words ", words);
    case Kind::kChoices:
      return absl::StrCat(
          "prefix+=\"${cur%\"${cur##*,}\"}\"; cur=\"${cur##*,}\"; "
          "compopt -o nospace 2> /dev/null; _hybridserve_words ",
          words);
  }
  return "";
}

std::vector<std::string> Spellings(const OfferedFlag& flag) {
  if (!flag.is_switch) return {absl::StrCat("--", flag.name, "=")};
  return {absl::StrCat("--", flag.name), absl::StrCat("--no", flag.name)};
}

}  // namespace

std::string BashCompletion(absl::Span<const OfferedCommand> commands) {
  std::vector<std::string> names;
  std::map<std::string, std::string> values;  // By flag.
  std::vector<std::string> switches = {"--help", "--version"};
  std::string arguments;
  std::string flags;
  for (const OfferedCommand& command : commands) {
    names.push_back(command.name);
    std::vector<std::string> spellings = {"--help"};
    for (const OfferedFlag& flag : command.flags) {
      const std::vector<std::string> spelled = Spellings(flag);
      spellings.insert(spellings.end(), spelled.begin(), spelled.end());
      if (flag.is_switch) {
        switches.insert(switches.end(), spelled.begin(), spelled.end());
      } else if (const std::string offer = ValuesCase(flag); !offer.empty()) {
        values[flag.name] = offer;
      }
    }
    if (!command.arguments.empty()) {
      absl::StrAppend(&arguments, "      ", command.name,
                      ") _hybridserve_words ",
                      absl::StrJoin(command.arguments, " "), " ;;\n");
    }
    absl::StrAppend(&flags, "    ", command.name,
                    ")\n      _hybridserve_words ",
                    absl::StrJoin(spellings, " \\\n        "), "\n      ;;\n");
  }
  absl::StrAppend(&flags, "    *) _hybridserve_words --help --version ;;\n");
  std::string value_cases;
  for (const auto& [name, offer] : values) {
    absl::StrAppend(&value_cases, "    --", name, ") ", offer, " ;;\n");
  }
  return absl::StrReplaceAll(kScript,
                             {{"@SWITCHES@", absl::StrJoin(switches, " | ")},
                              {"@COMMANDS_CASE@", absl::StrJoin(names, " | ")},
                              {"@COMMANDS@", absl::StrJoin(names, " ")},
                              {"@VALUES@", value_cases},
                              {"@ARGUMENTS@", arguments},
                              {"@FLAGS@", flags}});
}

}  // namespace hybridserve
