#include "common/json_log_sink.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hybridserve {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// A message, with everything around it fixed.
std::string LineOf(absl::string_view message) {
  return ToJsonLine({.time = absl::FromUnixMicros(1'700'000'000'123'456),
                     .severity = "WARNING",
                     .file = "shelf.cc",
                     .line = 7,
                     .thread = 42,
                     .message = message});
}

TEST(ToJsonLineTest, HoldsEveryField) {
  EXPECT_EQ(LineOf("dusty"),
            "{\"time\":\"2023-11-14T22:13:20.123456Z\","
            "\"severity\":\"WARNING\",\"file\":\"shelf.cc\",\"line\":7,"
            "\"thread\":42,\"message\":\"dusty\"}\n");
}

TEST(ToJsonLineTest, IsOneLineWhateverTheMessageHolds) {
  const std::string message("a\nb\t\"c\" \\ \x01\0d", 13);
  const std::string line = LineOf(message);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(json::parse(line)["message"], message);
}

TEST(ToJsonLineTest, BytesThatAreNoUtf8AreReplaced) {
  EXPECT_EQ(json::parse(LineOf("ab\xff\xc3"))["message"], "ab\ufffd\ufffd");
  EXPECT_EQ(json::parse(LineOf("Größe"))["message"], "Größe");
}

TEST(JsonLogSinkTest, WritesWhatIsLogged) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  JsonLogSink sink(ends[1]);
  google::AddLogSink(&sink);
  LOG(INFO) << "one " << 1;
  const int line = __LINE__ - 1;
  LOG(ERROR) << "two\nlines";
  google::RemoveLogSink(&sink);
  close(ends[1]);
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(ends[0], buffer, sizeof(buffer))) > 0) {
    text.append(buffer, static_cast<size_t>(count));
  }
  close(ends[0]);

  ASSERT_THAT(text, EndsWith("\n"));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  ASSERT_THAT(lines, SizeIs(3));  // The last one is empty.
  const json first = json::parse(lines[0]);
  EXPECT_EQ(first["message"], "one 1");
  EXPECT_EQ(first["severity"], "INFO");
  EXPECT_EQ(first["file"], "json_log_sink_test.cc");
  EXPECT_EQ(first["line"], line);
  EXPECT_EQ(first["thread"], syscall(SYS_gettid));
  EXPECT_THAT(std::string(first["time"]), HasSubstr("T"));
  EXPECT_EQ(json::parse(lines[1])["message"], "two\nlines");
}

}  // namespace
}  // namespace hybridserve
