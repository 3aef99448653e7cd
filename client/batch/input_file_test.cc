#include "client/batch/input_file.h"

#include <fstream>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Write(const std::string& name, const std::string& text) {
  std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::vector<std::string> Lines(const std::string& path) {
  InputFile file = InputFile::Open(path).value();
  std::vector<std::string> lines;
  while (auto line = file.Next().value()) {
    EXPECT_EQ(line->number, static_cast<int64_t>(lines.size()) + 1);
    lines.push_back(line->too_long ? "TOO LONG" : line->text);
  }
  return lines;
}

TEST(InputFileTest, TakesLinesWithAndWithoutNewlineAndCarriageReturn) {
  const std::string path = Write("lines", "a\r\n\nb\nc");
  EXPECT_THAT(Lines(path), ElementsAre("a", "", "b", "c"));
  EXPECT_EQ(InputFile::CountLines(path).value(), 4);
}

TEST(InputFileTest, AnEmptyFileHasNoLines) {
  EXPECT_THAT(Lines(Write("empty", "")), ElementsAre());
  EXPECT_THAT(Lines(Write("newline", "\n")), ElementsAre(""));
}

TEST(InputFileTest, ALineOverTheLimitIsSkippedNotKept) {
  const std::string path = Write(
      "long", "a\n" + std::string(InputFile::kMaxLineBytes + 1, 'x') + "\nb\n");
  EXPECT_THAT(Lines(path), ElementsAre("a", "TOO LONG", "b"));
}

TEST(InputFileTest, NamesTheFileThatItCannotRead) {
  EXPECT_THAT(
      InputFile::Open("/nowhere/f.jsonl").status(),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nowhere/f.jsonl")));
  EXPECT_FALSE(InputFile::Open(testing::TempDir()).ok());
}

}  // namespace
}  // namespace hybridserve
