#include "client/batch/input_file.h"

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace hybridserve {

absl::StatusOr<InputFile> InputFile::Open(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  // Opening a folder succeeds and reading it fails: look now, not later.
  if (stream) stream.peek();
  if (stream.bad() || !stream.is_open()) {
    return absl::ErrnoToStatus(errno != 0 ? errno : EIO,
                               absl::StrCat("cannot read ", path));
  }
  stream.clear();
  return InputFile(path, std::move(stream));
}

absl::StatusOr<std::optional<InputFile::Line>> InputFile::Next() {
  std::streambuf& bytes = *stream_.rdbuf();
  Line line;
  bool any = false;
  for (;;) {
    const int c = bytes.sbumpc();
    if (c == std::char_traits<char>::eof()) {
      if (!any) return std::nullopt;
      break;
    }
    any = true;
    if (c == '\n') break;
    if (static_cast<int64_t>(line.text.size()) == kMaxLineBytes) {
      line.too_long = true;
    }
    if (!line.too_long) line.text.push_back(static_cast<char>(c));
  }
  if (line.too_long) line.text = std::string();
  if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  line.number = ++lines_read_;
  return line;
}

absl::StatusOr<int64_t> InputFile::CountLines(const std::string& path) {
  ASSIGN_OR_RETURN(InputFile file, Open(path));
  for (;;) {
    ASSIGN_OR_RETURN(const std::optional<Line> line, file.Next());
    if (!line.has_value()) return file.lines_read_;
  }
}

}  // namespace hybridserve
