#ifndef HYBRIDSERVE_CLIENT_DOCTOR_TESTING_RECORDED_TREE_H_
#define HYBRIDSERVE_CLIENT_DOCTOR_TESTING_RECORDED_TREE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "client/doctor/system_tree.h"

namespace hybridserve {

// Parts of /proc and /sys of some machine, unpacked into a folder of their own.
// A recording is lines "== PATH", each followed by the file's content: names
// such as 0000:41:00.0 can't be those of files that Bazel knows.
class RecordedTree {
 public:
  explicit RecordedTree(absl::string_view recording);
  // From a file, which is CHECKed to be there.
  static RecordedTree FromFile(const std::string& path);
  RecordedTree(const RecordedTree&) = delete;
  RecordedTree& operator=(const RecordedTree&) = delete;
  ~RecordedTree();

  const SystemTree& tree() const { return tree_; }

 private:
  const SystemTree tree_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_DOCTOR_TESTING_RECORDED_TREE_H_
