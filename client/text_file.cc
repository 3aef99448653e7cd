#include "client/text_file.h"

#include <fstream>

#include "absl/strings/str_cat.h"

namespace hybridserve {

absl::Status WriteTextFile(const std::string& path, absl::string_view text) {
  if (path.empty()) return absl::OkStatus();
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  if (stream) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write ", path));
}

}  // namespace hybridserve
