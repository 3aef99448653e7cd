#include "client/batch/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
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
    for (const char* end : {"", ".partial", ".errors", ".sorted"}) {
      unlink((path_ + end).c_str());
    }
  }
  OutputFile Open(int64_t lines) {
    return OutputFile::Open(path_, lines).value();
  }
  static json Result(int64_t line) {
    return {{"finish_reason", "stop"}, {"line", line}};
  }
  static std::string Text(const std::vector<int64_t>& lines) {
    std::string text;
    for (int64_t line : lines) text += Result(line).dump() + "\n";
    return text;
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
  EXPECT_EQ(Read(""), Text({2, 1}));
}

TEST_F(OutputFileTest, OrderedFollowsTheInput) {
  OutputFile file = Open(3);
  for (int64_t line : {3, 1, 2}) {
    ASSERT_THAT(file.Append(Result(line)), IsOk());
  }
  ASSERT_THAT(file.Finish(/*ordered=*/true), IsOk());
  EXPECT_EQ(Read(""), Text({1, 2, 3}));
  EXPECT_NE(access((path_ + ".partial").c_str(), F_OK), 0);
}

// Property: whatever prefix of the partial file a kill leaves, the next run
// knows exactly the whole lines.
TEST_F(OutputFileTest, AnyTornEndIsCutOff) {
  const std::string whole = Text({1, 2});
  for (size_t length = 0; length <= whole.size(); ++length) {
    SCOPED_TRACE(length);
    Write(".partial", whole.substr(0, length));
    OutputFile file = Open(2);
    const size_t first = Text({1}).size();
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
        "{\"line\":\"1\"}\n", "{\"line\":1}\n{\"line\":1}\n", "hello",
        "{\"id\":1}", "{\"line\":1}\nhello"}) {
    for (const char* end : {"", ".partial"}) {
      SCOPED_TRACE(absl::StrCat(text, " in OUT", end));
      Write(end, text);
      EXPECT_THAT(OutputFile::Open(path_, 2).status(),
                  StatusIs(absl::StatusCode::kDataLoss,
                           HasSubstr(absl::StrCat(path_, end, " is not"))));
      EXPECT_EQ(Read(end), text);  // Untouched, and where it was.
      unlink((path_ + end).c_str());
    }
  }
}

// It is renamed when its last line is whole, so this is another program's.
TEST_F(OutputFileTest, RefusesATornOutput) {
  const std::string text = "{\"error\":{\"code\":\"invalid_api_key\"}}";
  Write("", text);
  EXPECT_THAT(OutputFile::Open(path_, 2).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("has no end")));
  EXPECT_EQ(Read(""), text);
}

TEST_F(OutputFileTest, RefusesWhatIsNoRegularFile) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(OutputFile::Open(path_, 1).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no regular file")));
  EXPECT_EQ(access(path_.c_str(), F_OK), 0);
}

TEST_F(OutputFileTest, KnowsWhatItWouldWriteOver) {
  for (const char* end : {"", ".partial", ".errors", ".sorted"}) {
    SCOPED_TRACE(end);
    const std::string input = path_ + end;
    EXPECT_FALSE(OutputFile::Writes(path_, input));  // Not there.
    Write(end, "{}\n");
    EXPECT_TRUE(OutputFile::Writes(path_, input));
    EXPECT_FALSE(OutputFile::Writes(path_ + "2", input));
    const std::string link = path_ + ".link";
    ASSERT_EQ(symlink(input.c_str(), link.c_str()), 0);
    EXPECT_TRUE(OutputFile::Writes(path_, link));
    unlink(link.c_str());
    unlink(input.c_str());
  }
}

TEST_F(OutputFileTest, OneWriterAtATime) {
  OutputFile file = Open(1);
  EXPECT_THAT(OutputFile::Open(path_, 1).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("another process")));
}

// A lease holds the second process up between finding the partial file and
// locking it; meanwhile the first renames it.
TEST_F(OutputFileTest, TakesUpWhatWasFinishedMeanwhile) {
  const std::string partial = path_ + ".partial";
  Write(".partial", Text({1}));
  signal(SIGIO, SIG_IGN);  // Says that the lease is to be given back.
  const int fd = open(partial.c_str(), O_RDWR);
  if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
    close(fd);
    GTEST_SKIP() << "no leases on this file system";
  }
  std::thread second([&] {
    OutputFile file = Open(1);
    EXPECT_TRUE(file.Has(1));
    EXPECT_THAT(file.Finish(/*ordered=*/false), IsOk());
  });
  while (fcntl(fd, F_GETLEASE) == F_WRLCK) usleep(1000);
  EXPECT_EQ(rename(partial.c_str(), path_.c_str()), 0);
  EXPECT_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
  close(fd);
  second.join();
  EXPECT_EQ(Read(""), Text({1}));
}

TEST_F(OutputFileTest, NamesAFolderThatIsNotThere) {
  EXPECT_THAT(OutputFile::Open("/nowhere/out", 1).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nowhere/out")));
}

}  // namespace
}  // namespace hybridserve
