#ifndef HYBRIDSERVE_WORKER_MODEL_TESTING_SCRATCH_FOLDER_H_
#define HYBRIDSERVE_WORKER_MODEL_TESTING_SCRATCH_FOLDER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hybridserve {

// A folder of a test's own, removed with the object. Thread-compatible.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view file) const;

  // Writes or replaces a file of this folder.
  void Write(absl::string_view file, absl::string_view bytes) const;
  void Remove(absl::string_view file) const;

 private:
  std::string path_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_TESTING_SCRATCH_FOLDER_H_
