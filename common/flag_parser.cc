#include "common/flag_parser.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "common/config_file.h"
#include "common/flag_file.h"
#include "common/repeated_text.h"
#include "common/status_macros.h"

ABSL_FLAG(std::string, config, "",
          "File of flags, a line each: name = value; # begins a comment. The "
          "environment and the command line win over it.");

namespace hybridserve {
namespace {

bool IsProjectFlag(const absl::CommandLineFlag& flag) {
  const std::string file = flag.Filename();
  return !flag.IsRetired() && !absl::StartsWith(file, "absl/") &&
         !absl::StrContains(file, "/absl/");
}

absl::CommandLineFlag* FindProjectFlag(absl::string_view name) {
  absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
  return flag != nullptr && IsProjectFlag(*flag) ? flag : nullptr;
}

// `source` is the flag or the variable, as the user wrote it.
absl::Status SetFlag(absl::CommandLineFlag& flag, absl::string_view source,
                     const std::string& value) {
  std::string error;
  if (flag.ParseFrom(value, &error)) return absl::OkStatus();
  // "Illegal value 'x' specified for flag 'name'; REASON"
  const size_t reason = error.find("'; ");
  return absl::InvalidArgumentError(absl::StrCat(
      source, ": \"", value, "\" is not a valid value",
      reason == std::string::npos ? "" : ": ",
      reason == std::string::npos ? "" : error.substr(reason + 3)));
}

// Where each flag got its value, unless that was the command line. Written
// while flags are parsed, before other threads start.
std::map<std::string, std::string>& Origins() {
  static auto* const origins = new std::map<std::string, std::string>();
  return *origins;
}

std::string VariableOf(absl::string_view flag) {
  return absl::StrCat("HYBRIDSERVE_", absl::AsciiStrToUpper(flag));
}

absl::Status SetFromEnvironment(const EnvironmentLookup& environment) {
  for (const absl::CommandLineFlag* flag : ProjectFlags()) {
    const std::string variable = VariableOf(flag->Name());
    const char* value = environment(variable.c_str());
    if (value == nullptr) continue;
    RETURN_IF_ERROR(SetFlag(*FindProjectFlag(flag->Name()), variable, value));
    Origins()[absl::StrCat(flag->Name())] = variable;
  }
  return absl::OkStatus();
}

// A flag's values, where it is named more than once.
class FlagValues {
 public:
  // The last value counts, but for RepeatedText, where all do. The error does
  // not name the flag.
  absl::Status Keep(const absl::CommandLineFlag& flag, std::string value) {
    if (!flag.IsOfType<RepeatedText>()) {
      values_[absl::StrCat(flag.Name())] = std::move(value);
      return absl::OkStatus();
    }
    if (absl::StrContains(value, RepeatedText::kSeparator)) {
      return absl::InvalidArgumentError(
          "must not contain the control character 0x1f");
    }
    const auto [it, is_first] =
        values_.try_emplace(absl::StrCat(flag.Name()), value);
    if (!is_first) {
      it->second += RepeatedText::kSeparator;
      it->second += value;
    }
    return absl::OkStatus();
  }

  // Null: not named.
  const std::string* Find(const std::string& name) const {
    const auto it = values_.find(name);
    return it == values_.end() ? nullptr : &it->second;
  }

  // `source` makes of a flag's name what errors begin with.
  template <typename Source>
  absl::Status SetFlags(const Source& source) const {
    for (const auto& [name, value] : values_) {
      RETURN_IF_ERROR(SetFlag(*FindProjectFlag(name), source(name), value));
    }
    return absl::OkStatus();
  }

  void ForgetOrigins() const {
    for (const auto& [name, value] : values_) Origins().erase(name);
  }

 private:
  std::map<std::string, std::string> values_;  // By the flag's name.
};

absl::Status SetFromFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFlagFile("config", path));
  const auto wrong = [&](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("--config: ", path, ":", what));
  };
  const auto settings = ParseConfigFile(text);
  if (!settings.ok()) return wrong(settings.status().message());
  FlagValues values;
  std::map<std::string, int> lines;  // Where a flag is set first.
  for (const ConfigSetting& setting : *settings) {
    const std::string place = absl::StrCat(setting.line, ": ", setting.name);
    const absl::CommandLineFlag* flag = FindProjectFlag(setting.name);
    if (flag == nullptr) return wrong(absl::StrCat(place, ": unknown flag"));
    if (setting.name == "config") {
      return wrong(absl::StrCat(place, ": a file can't name another"));
    }
    const auto [first, is_first] =
        lines.try_emplace(setting.name, setting.line);
    // More likely a mistake than two wishes.
    if (!is_first && !flag->IsOfType<RepeatedText>()) {
      return wrong(absl::StrCat(place, ": is set in line ", first->second));
    }
    if (const absl::Status kept = values.Keep(*flag, setting.value);
        !kept.ok()) {
      return wrong(absl::StrCat(place, ": ", kept.message()));
    }
  }
  for (const auto& [name, line] : lines) {
    Origins()[name] = absl::StrCat(path, ":", line);
  }
  return values.SetFlags([&](const std::string& name) {
    return absl::StrCat("--config: ", path, ":", lines[name], ": ", name);
  });
}

// "--name=value" in two parts.
struct WrittenFlag {
  absl::string_view name;
  std::optional<std::string> value;
};

WrittenFlag Split(absl::string_view argument) {
  argument = absl::StripPrefix(argument, "-");
  argument = absl::StripPrefix(argument, "-");
  const size_t equals = argument.find('=');
  if (equals == absl::string_view::npos) return {argument, std::nullopt};
  return {argument.substr(0, equals),
          absl::StrCat(argument.substr(equals + 1))};
}

// Walks a command line, collecting values a flag.
class Parser {
 public:
  explicit Parser(absl::Span<const char* const> arguments)
      : arguments_(arguments) {}

  // Looks at everything, sets nothing.
  absl::StatusOr<CommandLine> Read() {
    for (; next_ < arguments_.size(); ++next_) {
      const absl::string_view argument = arguments_[next_];
      if (argument == "--") {
        ++next_;
        for (; next_ < arguments_.size(); ++next_) {
          line_.arguments.emplace_back(arguments_[next_]);
        }
        break;
      }
      if (argument.size() < 2 || argument[0] != '-') {
        line_.arguments.emplace_back(argument);
        continue;
      }
      RETURN_IF_ERROR(ReadFlag(Split(argument)));
    }
    return std::move(line_);
  }

  // The value of --config; null: not given.
  const std::string* config() const { return values_.Find("config"); }

  absl::Status SetFlags() const {
    values_.ForgetOrigins();
    return values_.SetFlags(
        [](const std::string& name) { return absl::StrCat("--", name); });
  }

 private:
  absl::Status ReadFlag(const WrittenFlag& written) {
    if (!written.value.has_value()) {
      if (written.name == "help" || written.name == "h") {
        line_.help = true;
        return absl::OkStatus();
      }
      if (written.name == "version") {
        line_.version = true;
        return absl::OkStatus();
      }
    }
    // Somebody who asks for help gets it, whatever else is wrong.
    if (line_.help || line_.version) return absl::OkStatus();
    absl::CommandLineFlag* flag = FindProjectFlag(written.name);
    if (flag == nullptr) return ReadNegated(written);
    if (written.value.has_value()) return Keep(*flag, *written.value);
    if (flag->IsOfType<bool>()) return Keep(*flag, "true");
    if (next_ + 1 == arguments_.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", written.name, ": needs a value"));
    }
    return Keep(*flag, arguments_[++next_]);
  }

  // --noname
  absl::Status ReadNegated(const WrittenFlag& written) {
    absl::string_view name = written.name;
    if (absl::ConsumePrefix(&name, "no")) {
      absl::CommandLineFlag* flag = FindProjectFlag(name);
      if (flag != nullptr && flag->IsOfType<bool>()) {
        if (!written.value.has_value()) return Keep(*flag, "false");
        return absl::InvalidArgumentError(
            absl::StrCat("--", written.name, ": takes no value"));
      }
    }
    return absl::InvalidArgumentError(
        absl::StrCat("--", written.name, ": unknown flag"));
  }

  absl::Status Keep(const absl::CommandLineFlag& flag, std::string value) {
    const absl::Status kept = values_.Keep(flag, std::move(value));
    if (kept.ok()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag.Name(), ": ", kept.message()));
  }

  const absl::Span<const char* const> arguments_;
  size_t next_ = 0;
  CommandLine line_;
  FlagValues values_;
};

// The file that --config names, on the command line or in the environment.
std::string ConfigFileOf(const Parser& parser,
                         const EnvironmentLookup& environment) {
  if (parser.config() != nullptr) return *parser.config();
  const char* const value = environment(VariableOf("config").c_str());
  return value == nullptr ? "" : value;
}

}  // namespace

std::vector<const absl::CommandLineFlag*> ProjectFlags() {
  std::vector<const absl::CommandLineFlag*> flags;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (IsProjectFlag(*flag)) flags.push_back(flag);
  }
  std::sort(flags.begin(), flags.end(),
            [](const absl::CommandLineFlag* a, const absl::CommandLineFlag* b) {
              return a->Name() < b->Name();
            });
  return flags;
}

std::string FlagOrigin(absl::string_view flag) {
  const auto origin = Origins().find(absl::StrCat(flag));
  return origin == Origins().end() ? "" : origin->second;
}

absl::StatusOr<CommandLine> ParseFlags(absl::Span<const char* const> arguments,
                                       const EnvironmentLookup& environment) {
  Parser parser(arguments);
  ASSIGN_OR_RETURN(CommandLine line, parser.Read());
  // A bad variable must not keep anybody from the help.
  if (line.help || line.version) return line;
  Origins().clear();
  if (const std::string file = ConfigFileOf(parser, environment);
      !file.empty()) {
    RETURN_IF_ERROR(SetFromFile(file));
  }
  RETURN_IF_ERROR(SetFromEnvironment(environment));
  RETURN_IF_ERROR(parser.SetFlags());
  return line;
}

}  // namespace hybridserve
