#include "client/doctor/testing/recorded_tree.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "glog/logging.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

std::string NewFolder() {
  std::string path = testing::TempDir() + "/recorded_tree_XXXXXX";
  PCHECK(mkdtemp(path.data()) != nullptr) << path;
  return path;
}

}  // namespace

RecordedTree::RecordedTree(absl::string_view recording) : tree_(NewFolder()) {
  std::ofstream file;
  for (absl::string_view line : absl::StrSplit(recording, '\n')) {
    if (!absl::ConsumePrefix(&line, "== ")) {
      if (file.is_open()) file << line << "\n";
      continue;
    }
    const std::filesystem::path path = absl::StrCat(tree_.root(), line);
    std::filesystem::create_directories(path.parent_path());
    file = std::ofstream(path);
    CHECK(file.is_open()) << path;
  }
}

RecordedTree RecordedTree::FromFile(const std::string& path) {
  std::ifstream file(path);
  CHECK(file.is_open()) << path;
  return RecordedTree(std::string(std::istreambuf_iterator<char>(file), {}));
}

RecordedTree::~RecordedTree() { std::filesystem::remove_all(tree_.root()); }

}  // namespace hybridserve
