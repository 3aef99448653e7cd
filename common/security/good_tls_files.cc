#include "common/security/good_tls_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/file_watcher.h"
#include "common/security/tls_material.h"
#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

// A file without a name, on no disk.
class MemoryFile {
 public:
  static absl::StatusOr<MemoryFile> Create() {
    const int fd = memfd_create("tls", MFD_CLOEXEC);
    if (fd < 0) return absl::ErrnoToStatus(errno, "memfd_create");
    return MemoryFile(fd);
  }
  MemoryFile(MemoryFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  MemoryFile& operator=(MemoryFile&&) = delete;
  ~MemoryFile() {
    if (fd_ >= 0) close(fd_);
  }

  // By which this process can open it.
  std::string path() const { return absl::StrCat("/proc/self/fd/", fd_); }

  absl::Status Replace(const std::string& text) {
    const auto size = static_cast<ssize_t>(text.size());
    if (pwrite(fd_, text.data(), text.size(), 0) != size ||
        ftruncate(fd_, size) != 0) {
      return absl::ErrnoToStatus(errno, "write to a file in memory");
    }
    return absl::OkStatus();
  }

 private:
  explicit MemoryFile(int fd) : fd_(fd) {}
  int fd_;
};

class GoodCopies {
 public:
  static absl::StatusOr<std::unique_ptr<GoodCopies>> Create(
      const TlsFiles& files) {
    ASSIGN_OR_RETURN(MemoryFile certificate, MemoryFile::Create());
    ASSIGN_OR_RETURN(MemoryFile key, MemoryFile::Create());
    ASSIGN_OR_RETURN(MemoryFile ca, MemoryFile::Create());
    auto copies = absl::WrapUnique(new GoodCopies(
        files, std::move(certificate), std::move(key), std::move(ca)));
    copies->watcher_.Watch(files.paths(), [self = copies.get()] {
      const absl::Status status = self->Load();
      LOG_IF(ERROR, !status.ok())
          << status.message() << "; the TLS files read before stay in use";
    });
    RETURN_IF_ERROR(copies->Load());
    return copies;
  }

  TlsFiles paths() const {
    TlsFiles paths;
    if (!files_.empty()) {
      paths.certificate_file = certificate_.path();
      paths.key_file = key_.path();
    }
    if (!files_.ca_file.empty()) paths.ca_file = ca_.path();
    return paths;
  }

 private:
  GoodCopies(TlsFiles files, MemoryFile certificate, MemoryFile key,
             MemoryFile ca)
      : files_(std::move(files)),
        certificate_(std::move(certificate)),
        key_(std::move(key)),
        ca_(std::move(ca)) {}

  // Called by the watcher, too.
  absl::Status Load() {
    absl::MutexLock lock(&loading_);
    ASSIGN_OR_RETURN(const TlsMaterial material, ReadTlsMaterial(files_));
    RETURN_IF_ERROR(certificate_.Replace(material.certificate_chain));
    RETURN_IF_ERROR(key_.Replace(material.key));
    return ca_.Replace(material.ca);
  }

  const TlsFiles files_;
  MemoryFile certificate_;
  MemoryFile key_;
  MemoryFile ca_;
  absl::Mutex loading_;
  FileWatcher watcher_;  // Last: its callback uses the rest.
};

}  // namespace

absl::StatusOr<TlsFiles> CopyGoodTlsFiles(const TlsFiles& files) {
  static absl::Mutex mutex(absl::kConstInit);
  static auto& kept =
      *new std::map<std::vector<std::string>, std::unique_ptr<GoodCopies>>();
  absl::MutexLock lock(&mutex);
  std::unique_ptr<GoodCopies>& copies =
      kept[{files.certificate_file, files.key_file, files.ca_file}];
  if (copies == nullptr) {
    ASSIGN_OR_RETURN(copies, GoodCopies::Create(files));
  }
  return copies->paths();
}

}  // namespace hybridserve
