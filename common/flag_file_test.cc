#include "common/flag_file.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(FlagFileTest, ReadsAllOfIt) {
  const std::string path = testing::TempDir() + "/flag_file";
  const std::string content("two\nlines\0and a zero", 20);
  std::ofstream(path, std::ios::binary) << content;
  EXPECT_THAT(ReadFlagFile("tls_ca", path), IsOkAndHolds(content));
  std::ofstream(path, std::ios::binary | std::ios::trunc).close();
  EXPECT_THAT(ReadFlagFile("tls_ca", path), IsOkAndHolds(""));
}

TEST(FlagFileTest, NamesFlagAndPathOfWhatItCannotRead) {
  const std::string folder = testing::TempDir();
  for (const std::string& path : {folder + "/missing", folder}) {
    EXPECT_THAT(ReadFlagFile("tls_ca", path),
                StatusIs(StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("--tls_ca: "), HasSubstr(path))));
  }
}

}  // namespace
}  // namespace hybridserve
