#ifndef HYBRIDSERVE_CLIENT_BATCH_OUTPUT_FILE_H_
#define HYBRIDSERVE_CLIENT_BATCH_OUTPUT_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace hybridserve {

// The results of a batch job, safe against being killed at any point.
//
// Lines are appended to OUT.partial, each by one write, and synced to disk at
// least every kSyncInterval of appending. Finish() writes OUT.errors (the
// lines that hold an error) and renames OUT.partial to OUT. Open() takes up
// what an earlier run left: a torn last line is cut off, and the input lines
// that have a result are known by their number. It changes no file that it
// refuses. Takes a bit of memory for each input line, and while lines are put
// in order 8 bytes. Thread-compatible.
class OutputFile {
 public:
  static constexpr absl::Duration kSyncInterval = absl::Milliseconds(200);

  // Opens OUT.partial for `total_lines` input lines. A complete OUT of an
  // earlier run is taken up as well, so that lines since added to the input
  // are still done. A result is {"finish_reason",..} or {"error",..}. DataLoss
  // if an existing file holds anything but result lines of this job;
  // FailedPrecondition if another process writes it or it is no regular file.
  static absl::StatusOr<OutputFile> Open(const std::string& path,
                                         int64_t total_lines);
  // Whether a job that writes OUT `path` would write over `file`.
  static bool Writes(const std::string& path, const std::string& file);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  bool Has(int64_t line_number) const { return done_[line_number]; }
  int64_t num_done() const { return num_done_; }
  int64_t num_errors() const { return num_errors_; }

  // Appends a result; `result["line"]` is its line number, not yet done.
  absl::Status Append(const nlohmann::json& result);

  // Syncs and renames; with `ordered`, lines in the order of the input.
  absl::Status Finish(bool ordered);

 private:
  OutputFile(std::string path, int fd, int64_t total_lines);

  // nullopt: another process renamed the files meanwhile.
  static absl::StatusOr<std::optional<OutputFile>> TryOpen(
      const std::string& path, int64_t total_lines);
  // `found` is the partial file, or a complete OUT.
  absl::Status ReadExisting(const std::string& found);
  absl::Status Sync();
  // Returns where each line begins, by number, if lines are to be put in order.
  absl::StatusOr<std::vector<int64_t>> WriteErrors(bool ordered);
  // Makes OUT of the lines at `offsets`, in that order.
  absl::Status WriteSorted(const std::vector<int64_t>& offsets);

  std::string path_;
  int fd_;
  int64_t size_ = 0;
  std::vector<bool> done_;  // By line number, from 1.
  int64_t num_done_ = 0;
  int64_t num_errors_ = 0;
  absl::Time synced_at_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BATCH_OUTPUT_FILE_H_
