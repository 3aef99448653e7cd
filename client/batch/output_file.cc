// A result line is one write() of the whole line with its newline: a kill
// leaves at most a prefix of the last line, which the next run cuts off. So a
// line number stands in the file if and only if its result is whole, and no
// log beside the file is needed.

#include "client/batch/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

using nlohmann::json;

absl::Status Errno(absl::string_view what, absl::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

absl::Status WriteAll(int fd, absl::string_view bytes, absl::string_view path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return Errno("cannot write", path);
    }
    bytes.remove_prefix(written);
  }
  return absl::OkStatus();
}

// Writes a new file whole, synced.
class NewFile {
 public:
  static absl::StatusOr<NewFile> Create(const std::string& path) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) return Errno("cannot create", path);
    return NewFile(path, fd);
  }
  NewFile(NewFile&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  ~NewFile() {
    if (fd_ >= 0) close(fd_);
  }
  absl::Status Write(absl::string_view text) {
    return WriteAll(fd_, text, path_);
  }
  absl::Status Sync() {
    return fsync(fd_) == 0 ? absl::OkStatus() : Errno("cannot sync", path_);
  }

 private:
  NewFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
};

std::string Partial(const std::string& path) { return path + ".partial"; }

}  // namespace

absl::StatusOr<OutputFile> OutputFile::Open(const std::string& path,
                                            int64_t total_lines) {
  const std::string partial = Partial(path);
  struct stat info;
  if (stat(partial.c_str(), &info) != 0 && stat(path.c_str(), &info) == 0) {
    if (rename(path.c_str(), partial.c_str()) != 0) {
      return Errno("cannot take up", path);
    }
  }
  const int fd = open(partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return Errno("cannot open", partial);
  OutputFile file(path, fd, total_lines);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(partial, " is being written by another process"));
  }
  RETURN_IF_ERROR(file.ReadExisting());
  return file;
}

OutputFile::OutputFile(std::string path, int fd, int64_t total_lines)
    : path_(std::move(path)),
      fd_(fd),
      done_(total_lines + 1),
      synced_at_(absl::Now()) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      done_(std::move(other.done_)),
      num_done_(other.num_done_),
      num_errors_(other.num_errors_),
      synced_at_(other.synced_at_) {}

OutputFile::~OutputFile() {
  if (fd_ >= 0) close(fd_);
}

absl::Status OutputFile::ReadExisting() {
  const std::string partial = Partial(path_);
  std::ifstream stream(partial, std::ios::binary);
  std::string text;
  while (std::getline(stream, text)) {
    if (stream.eof()) break;  // No newline: torn, cut off below.
    const json result = json::parse(text, nullptr, false);
    const auto bad = [&](absl::string_view why) {
      return absl::DataLossError(
          absl::StrCat(partial, " is not of this job: line ", num_done_ + 1,
                       " ", why, "; move it away to start anew"));
    };
    if (!result.is_object() || !result.contains("line") ||
        !result["line"].is_number_integer()) {
      return bad("is no result");
    }
    const int64_t number = result["line"].get<int64_t>();
    if (number < 1 || number >= static_cast<int64_t>(done_.size())) {
      return bad(
          absl::StrCat("names input line ", number, " of ", done_.size() - 1));
    }
    if (done_[number]) return bad(absl::StrCat("repeats line ", number));
    done_[number] = true;
    ++num_done_;
    if (result.contains("error")) ++num_errors_;
    size_ += static_cast<int64_t>(text.size()) + 1;
  }
  if (ftruncate(fd_, size_) != 0) return Errno("cannot cut", partial);
  if (lseek(fd_, 0, SEEK_END) < 0) return Errno("cannot seek in", partial);
  return absl::OkStatus();
}

absl::Status OutputFile::Append(const json& result) {
  const int64_t number = result["line"].get<int64_t>();
  const std::string text = absl::StrCat(
      result.dump(-1, ' ', false, json::error_handler_t::replace), "\n");
  if (absl::Status written = WriteAll(fd_, text, Partial(path_));
      !written.ok()) {
    // Disk full: leave whole lines only, so that the job can go on later.
    (void)!ftruncate(fd_, size_);
    return written;
  }
  size_ += static_cast<int64_t>(text.size());
  done_[number] = true;
  ++num_done_;
  if (result.contains("error")) ++num_errors_;
  return absl::Now() - synced_at_ >= kSyncInterval ? Sync() : absl::OkStatus();
}

absl::Status OutputFile::Sync() {
  if (fdatasync(fd_) != 0) return Errno("cannot sync", Partial(path_));
  synced_at_ = absl::Now();
  return absl::OkStatus();
}

absl::Status OutputFile::WriteErrorsAndOrder(bool ordered) {
  const std::string partial = Partial(path_);
  std::ifstream stream(partial, std::ios::binary);
  std::vector<std::pair<int64_t, int64_t>> places;  // (line, offset)
  std::string errors;
  std::string text;
  int64_t offset = 0;
  while (std::getline(stream, text)) {
    const json result = json::parse(text, nullptr, false);
    places.emplace_back(result["line"].get<int64_t>(), offset);
    if (result.contains("error")) absl::StrAppend(&errors, text, "\n");
    offset += static_cast<int64_t>(text.size()) + 1;
  }
  if (errors.empty()) {
    (void)remove((path_ + ".errors").c_str());
  } else {
    ASSIGN_OR_RETURN(NewFile file, NewFile::Create(path_ + ".errors"));
    RETURN_IF_ERROR(file.Write(errors));
    RETURN_IF_ERROR(file.Sync());
  }
  if (!ordered || std::is_sorted(places.begin(), places.end())) {
    return absl::OkStatus();
  }
  std::sort(places.begin(), places.end());
  const std::string sorted = path_ + ".sorted";
  {
    ASSIGN_OR_RETURN(NewFile file, NewFile::Create(sorted));
    stream.clear();
    for (const auto& [number, start] : places) {
      stream.seekg(start);
      std::getline(stream, text);
      RETURN_IF_ERROR(file.Write(absl::StrCat(text, "\n")));
    }
    RETURN_IF_ERROR(file.Sync());
  }
  if (rename(sorted.c_str(), partial.c_str()) != 0) {
    return Errno("cannot rename", sorted);
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Finish(bool ordered) {
  RETURN_IF_ERROR(Sync());
  RETURN_IF_ERROR(WriteErrorsAndOrder(ordered));
  const std::string partial = Partial(path_);
  if (rename(partial.c_str(), path_.c_str()) != 0) {
    return Errno("cannot rename", partial);
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
