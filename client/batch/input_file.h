#ifndef HYBRIDSERVE_CLIENT_BATCH_INPUT_FILE_H_
#define HYBRIDSERVE_CLIENT_BATCH_INPUT_FILE_H_

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace hybridserve {

// Reads a batch file line by line, in memory bounded by the longest line that
// is taken. Blank lines count as lines (and are wrong as requests); a last
// line without a newline is a line. Thread-compatible.
class InputFile {
 public:
  struct Line {
    int64_t number = 0;     // From 1.
    bool too_long = false;  // Then `text` is empty.
    std::string text;       // Without the line end ("\n" or "\r\n").
  };

  // Longest line taken, bytes.
  static constexpr int64_t kMaxLineBytes = 16 << 20;

  // NotFound or PermissionDenied naming the file.
  static absl::StatusOr<InputFile> Open(const std::string& path);

  // The next line; nullopt at the end. DataLoss if reading fails.
  absl::StatusOr<std::optional<Line>> Next();

  // Lines of the whole file, by a pass of its own.
  static absl::StatusOr<int64_t> CountLines(const std::string& path);

 private:
  InputFile(std::string path, std::ifstream stream)
      : path_(std::move(path)), stream_(std::move(stream)) {}

  std::string path_;
  std::ifstream stream_;
  int64_t lines_read_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BATCH_INPUT_FILE_H_
