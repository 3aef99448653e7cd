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
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
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

// Streams do not say why.
absl::Status CannotRead(absl::string_view path) {
  return absl::DataLossError(absl::StrCat("cannot read ", path));
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

constexpr char kPartial[] = ".partial";
constexpr char kErrors[] = ".errors";
constexpr char kSorted[] = ".sorted";
// Of the files that a job writes: OUT with each of them.
constexpr const char* kEndings[] = {"", kPartial, kErrors, kSorted};
constexpr int64_t kNotThere = -1;
// Each that fails: another process renamed the file meanwhile.
constexpr int kMostAttempts = 100;

std::string Partial(const std::string& path) { return path + kPartial; }

// Of a prefix of a line. Append() writes fields in alphabetical order, so that
// each line begins with one of two.
bool BeginsLikeAResult(absl::string_view text) {
  for (const absl::string_view begin :
       {"{\"error\":{\"code\":\"", "{\"finish_reason\":\""}) {
    if (text.substr(0, begin.size()) == begin.substr(0, text.size())) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool OutputFile::Writes(const std::string& path, const std::string& file) {
  return std::any_of(
      std::begin(kEndings), std::end(kEndings), [&](const char* ending) {
        std::error_code none;  // A file that is not there is no other's.
        return std::filesystem::equivalent(path + ending, file, none);
      });
}

absl::StatusOr<OutputFile> OutputFile::Open(const std::string& path,
                                            int64_t total_lines) {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    ASSIGN_OR_RETURN(std::optional<OutputFile> file,
                     TryOpen(path, total_lines));
    if (file.has_value()) return *std::move(file);
  }
  return absl::FailedPreconditionError(
      absl::StrCat(Partial(path), " is renamed again and again"));
}

absl::StatusOr<std::optional<OutputFile>> OutputFile::TryOpen(
    const std::string& path, int64_t total_lines) {
  const std::string partial = Partial(path);
  std::string found = partial;
  int fd = open(found.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    found = path;
    fd = open(found.c_str(), O_RDWR | O_CLOEXEC);
  }
  if (fd < 0 && errno == ENOENT) {
    found = partial;
    fd = open(found.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  }
  if (fd < 0) return Errno("cannot open", found);
  OutputFile file(path, fd, total_lines);
  struct stat opened;
  if (fstat(fd, &opened) != 0) return Errno("cannot look at", found);
  if (!S_ISREG(opened.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(found, " is no regular file"));
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(found, " is being written by another process"));
  }
  // Its writer may have renamed it before it let go of the lock.
  struct stat named;
  if (stat(found.c_str(), &named) != 0 || named.st_dev != opened.st_dev ||
      named.st_ino != opened.st_ino) {
    return std::nullopt;
  }
  RETURN_IF_ERROR(file.ReadExisting(found));
  if (found == path && rename(path.c_str(), partial.c_str()) != 0) {
    return Errno("cannot take up", path);
  }
  return std::optional<OutputFile>(std::move(file));
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

absl::Status OutputFile::ReadExisting(const std::string& found) {
  std::ifstream stream(found, std::ios::binary);
  if (!stream.is_open()) return CannotRead(found);
  const auto bad = [&](absl::string_view why) {
    return absl::DataLossError(absl::StrCat(found, " is not of this job: line ",
                                            num_done_ + 1, " ", why,
                                            "; move it away to start anew"));
  };
  std::string text;
  bool torn = false;
  while (std::getline(stream, text)) {
    if (stream.eof()) {
      torn = true;
      break;
    }
    const json result = json::parse(text, nullptr, false);
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
  if (stream.bad()) return CannotRead(found);
  if (torn) {
    // Only a partial file can be torn: it is renamed when all of it is whole.
    if (found == path_ || !BeginsLikeAResult(text)) {
      return bad("is no result and has no end");
    }
    if (ftruncate(fd_, size_) != 0) return Errno("cannot cut", found);
  }
  if (lseek(fd_, 0, SEEK_END) < 0) return Errno("cannot seek in", found);
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

absl::StatusOr<std::vector<int64_t>> OutputFile::WriteErrors(bool ordered) {
  const std::string partial = Partial(path_);
  std::ifstream stream(partial, std::ios::binary);
  std::vector<int64_t> offsets(ordered ? done_.size() : 0, kNotThere);
  std::optional<NewFile> errors;
  std::string text;
  int64_t offset = 0;
  int64_t last = 0;
  bool in_order = true;
  while (std::getline(stream, text)) {
    const json result = json::parse(text, nullptr, false);
    if (result.contains("error")) {
      if (!errors.has_value()) {
        ASSIGN_OR_RETURN(NewFile file, NewFile::Create(path_ + kErrors));
        errors.emplace(std::move(file));
      }
      RETURN_IF_ERROR(errors->Write(absl::StrCat(text, "\n")));
    }
    const int64_t number = result["line"].get<int64_t>();
    if (ordered) offsets[number] = offset;
    in_order = in_order && number > last;
    last = number;
    offset += static_cast<int64_t>(text.size()) + 1;
  }
  if (offset != size_) return CannotRead(partial);
  if (errors.has_value()) {
    RETURN_IF_ERROR(errors->Sync());
  } else {
    (void)remove((path_ + kErrors).c_str());
  }
  if (in_order) offsets.clear();
  return offsets;
}

absl::Status OutputFile::WriteSorted(const std::vector<int64_t>& offsets) {
  const std::string partial = Partial(path_);
  const std::string sorted = path_ + kSorted;
  std::ifstream stream(partial, std::ios::binary);
  ASSIGN_OR_RETURN(NewFile file, NewFile::Create(sorted));
  std::string text;
  for (const int64_t offset : offsets) {
    if (offset == kNotThere) continue;
    stream.seekg(offset);
    if (!std::getline(stream, text)) return CannotRead(partial);
    RETURN_IF_ERROR(file.Write(absl::StrCat(text, "\n")));
  }
  RETURN_IF_ERROR(file.Sync());
  // Past the partial file, which is the one that is locked. A kill before it is
  // removed leaves two complete files, and the next run takes up the partial.
  if (rename(sorted.c_str(), path_.c_str()) != 0) {
    return Errno("cannot rename", sorted);
  }
  return remove(partial.c_str()) == 0 ? absl::OkStatus()
                                      : Errno("cannot remove", partial);
}

absl::Status OutputFile::Finish(bool ordered) {
  RETURN_IF_ERROR(Sync());
  ASSIGN_OR_RETURN(const std::vector<int64_t> offsets, WriteErrors(ordered));
  if (!offsets.empty()) return WriteSorted(offsets);
  const std::string partial = Partial(path_);
  if (rename(partial.c_str(), path_.c_str()) != 0) {
    return Errno("cannot rename", partial);
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
