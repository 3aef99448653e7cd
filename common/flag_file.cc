#include "common/flag_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/flag_error.h"

namespace hybridserve {

absl::StatusOr<std::string> ReadFlagFile(absl::string_view flag,
                                         const std::string& path) {
  errno = 0;
  const std::ifstream file(path, std::ios::binary);
  // A folder opens too, and then reads as nothing.
  if (!file.is_open() || std::filesystem::is_directory(path)) {
    return WrongFlag(flag,
                     absl::StrCat("cannot read ", path, ": ",
                                  std::strerror(errno == 0 ? EISDIR : errno)));
  }
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

}  // namespace hybridserve
