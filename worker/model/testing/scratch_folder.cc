#include "worker/model/testing/scratch_folder.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "gtest/gtest.h"

namespace hybridserve {

ScratchFolder::ScratchFolder()
    : path_(absl::StrCat(testing::TempDir(), "/scratch.XXXXXX")) {
  PCHECK(mkdtemp(path_.data()) != nullptr) << path_;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchFolder::PathOf(absl::string_view file) const {
  return absl::StrCat(path_, "/", file);
}

void ScratchFolder::Write(absl::string_view file,
                          absl::string_view bytes) const {
  std::ofstream out(PathOf(file), std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  PCHECK(out.good()) << file;
}

void ScratchFolder::Remove(absl::string_view file) const {
  CHECK(std::filesystem::remove(PathOf(file))) << file;
}

}  // namespace hybridserve
