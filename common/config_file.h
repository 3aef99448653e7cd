#ifndef HYBRIDSERVE_COMMON_CONFIG_FILE_H_
#define HYBRIDSERVE_COMMON_CONFIG_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// One flag as a config file sets it.
struct ConfigSetting {
  std::string name;
  std::string value;
  int line = 0;  // From 1.

  friend bool operator==(const ConfigSetting&, const ConfigSetting&) = default;
};

// Splits a config file: a line is a flag, "name = value", or blank, or a
// comment, which begins with '#'. Spaces around name and value don't count; a
// value that needs them, or is empty, stands in double quotes, which are taken
// off. There are no escapes: what is between is the value.
//
// InvalidArgument, beginning with the number of the line: "3: ...". Which names
// are flags is not looked at here.
absl::StatusOr<std::vector<ConfigSetting>> ParseConfigFile(
    absl::string_view text);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_CONFIG_FILE_H_
