#include "client/batch/output_file.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::nlohmann::json;
using ::testing::HasSubstr;

class OutputFileTest : public testing::Test {
 protected:
  OutputFileTest() {
    for (const char* end : {"", ".partial", ".errors"}) {
      unlink((path_ + end).c_str());
    }
  }
  OutputFile Open(int64_t lines) {
    return OutputFile::Open(path_, lines).value();
  }
  static json Result(int64_t line) {
    return {{"id", line}, {"line", line}, {"text", "t"}};
  }
  std::string Read(const std::string& end) const {
    std::ostringstream text;
    text << std::ifstream(path_ + end).rdbuf();
    return text.str();
  }
  void Write(const std::string& end, const std::string& text) const {
    std::ofstream(path_ + end, std::ios::binary) << text;
  }

  const std::string path_ =
      testing::TempDir() + "/" +
      testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(OutputFileTest, AppearsOnlyWhenFinished) {
  OutputFile file = Open(2);
  ASSERT_THAT(file.Append(Result(2)), IsOk());
  ASSERT_THAT(file.Append(Result(1)), IsOk());
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
  ASSERT_THAT(file.Finish(/*ordered=*/false), IsOk());
  EXPECT_EQ(Read(""),
            "{\"id\":2,\"line\":2,\"text\":\"t\"}\n"
            "{\"id\":1,\"line\":1,\"text\":\"t\"}\n");
}

TEST_F(OutputFileTest, OrderedFollowsTheInput) {
  OutputFile file = Open(3);
  for (int64_t line : {3, 1, 2}) {
    ASSERT_THAT(file.Append(Result(line)), IsOk());
  }
  ASSERT_THAT(file.Finish(/*ordered=*/true), IsOk());
  EXPECT_EQ(Read(""),
            "{\"id\":1,\"line\":1,\"text\":\"t\"}\n"
            "{\"id\":2,\"line\":2,\"text\":\"t\"}\n"
            "{\"id\":3,\"line\":3,\"text\":\"t\"}\n");
}

// Property: whatever prefix of the partial file a kill leaves, the next run
// knows exactly the whole lines.
TEST_F(OutputFileTest, AnyTornEndIsCutOff) {
  const std::string whole = Result(1).dump() + "\n" + Result(2).dump() + "\n";
  for (size_t length = 0; length <= whole.size(); ++length) {
    SCOPED_TRACE(length);
    Write(".partial", whole.substr(0, length));
    OutputFile file = Open(2);
    const size_t first = Result(1).dump().size() + 1;
    EXPECT_EQ(file.Has(1), length >= first);
    EXPECT_EQ(file.Has(2), length == whole.size());
    for (int64_t line : {1, 2}) {
      if (file.Has(line)) continue;
      ASSERT_THAT(file.Append(Result(line)), IsOk());
    }
    EXPECT_EQ(Read(".partial"), whole);
  }
}

TEST_F(OutputFileTest, TakesUpACompleteOutput) {
  {
    OutputFile file = Open(1);
    ASSERT_THAT(file.Append(Result(1)), IsOk());
    ASSERT_THAT(file.Finish(false), IsOk());
  }
  OutputFile file = Open(2);  // The input has grown.
  EXPECT_TRUE(file.Has(1));
  EXPECT_FALSE(file.Has(2));
  EXPECT_EQ(file.num_done(), 1);
}

TEST_F(OutputFileTest, ErrorsAreRepeatedInAFileOfTheirOwn) {
  OutputFile file = Open(2);
  ASSERT_THAT(file.Append(Result(1)), IsOk());
  const json error = {{"line", 2}, {"error", {{"code", "INVALID_ARGUMENT"}}}};
  ASSERT_THAT(file.Append(error), IsOk());
  EXPECT_EQ(file.num_errors(), 1);
  ASSERT_THAT(file.Finish(false), IsOk());
  EXPECT_EQ(Read(".errors"), error.dump() + "\n");
}

TEST_F(OutputFileTest, RefusesAForeignFile) {
  for (const char* text :
       {"hello\n", "{}\n", "{\"line\":3}\n", "{\"line\":0}\n",
        "{\"line\":\"1\"}\n", "{\"line\":1}\n{\"line\":1}\n"}) {
    SCOPED_TRACE(text);
    Write(".partial", text);
    EXPECT_THAT(OutputFile::Open(path_, 2).status(),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(".partial")));
    EXPECT_EQ(Read(".partial"), text);  // Untouched.
  }
}

TEST_F(OutputFileTest, OneWriterAtATime) {
  OutputFile file = Open(1);
  EXPECT_THAT(OutputFile::Open(path_, 1).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("another process")));
}

TEST_F(OutputFileTest, NamesAFolderThatIsNotThere) {
  EXPECT_THAT(OutputFile::Open("/nowhere/out", 1).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nowhere/out")));
}

}  // namespace
}  // namespace hybridserve
