#include "common/security/api_key_file.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string WriteFile(const std::string& text) {
  std::string path = testing::TempDir() + "/api_key_file";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  return path;
}

TEST(ApiKeyFileTest, TheKeyIsTheFirstLineWithoutSpacesAround) {
  EXPECT_EQ((*ApiKeyFile::Open(WriteFile("secret")))->Key(), "secret");
  EXPECT_EQ((*ApiKeyFile::Open(WriteFile(" secret \r\nmore\n")))->Key(),
            "secret");
}

TEST(ApiKeyFileTest, BadFilesAreNamedAndNotQuoted) {
  for (const char* text : {"", "\nsecret", "two secrets", "secret\xc3\xa9"}) {
    const std::string path = WriteFile(text);
    EXPECT_THAT(ApiKeyFile::Open(path),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("--api_key_file: "), HasSubstr(path),
                               Not(HasSubstr("secret")))))
        << text;
  }
  EXPECT_THAT(ApiKeyFile::Open(testing::TempDir() + "/none"),
              StatusIs(absl::StatusCode::kInvalidArgument, "--api_key_file: "));
}

TEST(ApiKeyFileTest, ARenewedKeyIsTakenAndABadFileIsNot) {
  const std::string path = WriteFile("first");
  const std::unique_ptr<ApiKeyFile> file = *ApiKeyFile::Open(path);
  WriteFile("the-second");
  EXPECT_EQ(file->Key(), "the-second");
  WriteFile("");
  EXPECT_EQ(file->Key(), "the-second");
  std::filesystem::remove(path);
  EXPECT_EQ(file->Key(), "the-second");
  WriteFile("third");
  EXPECT_EQ(file->Key(), "third");
}

}  // namespace
}  // namespace hybridserve
