#include "common/config_file.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hybridserve {
namespace {

absl::Status WrongLine(int line, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(line, ": ", why));
}

}  // namespace

absl::StatusOr<std::vector<ConfigSetting>> ParseConfigFile(
    absl::string_view text) {
  std::vector<ConfigSetting> settings;
  int line = 0;
  for (absl::string_view content : absl::StrSplit(text, '\n')) {
    ++line;
    content = absl::StripAsciiWhitespace(content);
    if (content.empty() || content[0] == '#') continue;
    const size_t equals = content.find('=');
    const absl::string_view name =
        absl::StripAsciiWhitespace(content.substr(0, equals));
    if (equals == absl::string_view::npos) {
      return WrongLine(line,
                       absl::StrCat("\"", name, "\": needs = and a value"));
    }
    if (name.empty()) return WrongLine(line, "has no flag before the =");
    if (absl::StartsWith(name, "-")) {
      return WrongLine(
          line,
          absl::StrCat("\"", name, "\": flags stand here without dashes"));
    }
    absl::string_view value =
        absl::StripAsciiWhitespace(content.substr(equals + 1));
    if (value.empty()) {
      return WrongLine(
          line, absl::StrCat(name, ": has no value; an empty one is \"\""));
    }
    if (value[0] == '"') {
      if (value.size() < 2 || value.back() != '"') {
        return WrongLine(line, absl::StrCat(name, ": lacks a closing quote"));
      }
      value = value.substr(1, value.size() - 2);
    }
    settings.push_back({absl::StrCat(name), absl::StrCat(value), line});
  }
  return settings;
}

}  // namespace hybridserve
