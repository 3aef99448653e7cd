#ifndef HYBRIDSERVE_COMMON_SECURITY_API_KEY_FILE_H_
#define HYBRIDSERVE_COMMON_SECURITY_API_KEY_FILE_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/file_stamp.h"

namespace hybridserve {

// The API key that a client shows: the first line of a file, which may be
// replaced. Thread-safe.
class ApiKeyFile {
 public:
  // InvalidArgument naming --api_key_file and the path if there is no key that
  // a header can carry: printable ASCII, no spaces.
  static absl::StatusOr<std::unique_ptr<ApiKeyFile>> Open(
      const std::string& path);

  // The key, read again if the file has changed. While the file is bad the key
  // before it stays, and the log says so, once a change.
  std::string Key();

 private:
  explicit ApiKeyFile(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  absl::Mutex mutex_;
  FileStamp stamp_ ABSL_GUARDED_BY(mutex_);
  std::string key_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SECURITY_API_KEY_FILE_H_
