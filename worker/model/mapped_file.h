#ifndef HYBRIDSERVE_WORKER_MODEL_MAPPED_FILE_H_
#define HYBRIDSERVE_WORKER_MODEL_MAPPED_FILE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hybridserve {

// A file's bytes, mapped read-only. The file must not shrink meanwhile: reading
// beyond its new end would end the process. Move-only. Thread-safe.
class MappedFile {
 public:
  // NotFound if there is no such file, InvalidArgument if it is not a regular
  // file, PermissionDenied or Internal as the system says; messages begin with
  // the path.
  static absl::StatusOr<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::string& path() const { return path_; }
  absl::Span<const char> bytes() const {
    return absl::MakeConstSpan(data_, size_);
  }

  // Says that [offset, offset + size) is not wanted for now: its pages leave
  // this process's memory, though not the system's cache of the file, and come
  // back by themselves when read again.
  void Drop(int64_t offset, int64_t size) const;

 private:
  MappedFile(std::string path, const char* data, int64_t size)
      : path_(std::move(path)), data_(data), size_(size) {}

  std::string path_;
  const char* data_ = nullptr;  // Null if the file is empty or moved away.
  int64_t size_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_MAPPED_FILE_H_
