#include "scheduler/tokenizer/utf8.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

const char kBad[] = "\xEF\xBF\xBD";  // U+FFFD.

TEST(Utf8Test, EveryScalarValueSurvivesARoundTrip) {
  for (char32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 0x101) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    AppendUtf8(c, text);
    const Utf8Step step = NextUtf8(text);
    ASSERT_EQ(step.kind, Utf8Step::Kind::kChar) << std::hex << uint32_t{c};
    ASSERT_EQ(step.code_point, c);
    ASSERT_EQ(step.size, static_cast<int>(text.size()));
    ASSERT_EQ(LastUtf8("x" + text).code_point, c);
    for (size_t n = 1; n < text.size(); ++n) {
      ASSERT_EQ(NextUtf8(text.substr(0, n)).kind, Utf8Step::Kind::kIncomplete);
    }
  }
}

TEST(Utf8Test, FindsWhereTheFirstBadSequenceBegins) {
  EXPECT_EQ(FindInvalidUtf8(""), std::nullopt);
  EXPECT_EQ(FindInvalidUtf8("h\xC3\xA9\xF0\x9F\x98\x80"), std::nullopt);
  EXPECT_EQ(FindInvalidUtf8(absl::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(FindInvalidUtf8("ab\xFF"), 2);
  EXPECT_EQ(FindInvalidUtf8("\xC3\xA9\xC3"), 2);      // Cut short.
  EXPECT_EQ(FindInvalidUtf8("a\xED\xA0\x80"), 1);     // A surrogate.
  EXPECT_EQ(FindInvalidUtf8("a\xC0\x80"), 1);         // Overlong.
  EXPECT_EQ(FindInvalidUtf8("\xE0\x9F\xBF"), 0);      // Overlong.
  EXPECT_EQ(FindInvalidUtf8("\xF4\x90\x80\x80"), 0);  // Beyond U+10FFFF.
  EXPECT_EQ(FindInvalidUtf8("\xF5\x80\x80\x80"), 0);
}

// Unicode 15, table 3-8 to 3-11, and Rust's documentation of from_utf8_lossy.
TEST(Utf8Test, ReplacesEachMaximalSubpartOnce) {
  const std::string bad = kBad;
  EXPECT_EQ(Utf8Lossy("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            bad + bad + bad + bad + bad + bad + bad + bad + "A");
  EXPECT_EQ(Utf8Lossy("\xED\xA0\x80\x41"), bad + bad + bad + "A");
  EXPECT_EQ(Utf8Lossy("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"),
            bad + bad + bad + bad + "A");
  EXPECT_EQ(Utf8Lossy("Hello \xF0\x90\x80World"), "Hello " + bad + "World");
  EXPECT_EQ(Utf8Lossy("x\xF0\x9F\x98"), "x" + bad);
}

TEST(Utf8Test, LeavesAnIncompleteTailToTheCaller) {
  std::string out;
  EXPECT_EQ(AppendUtf8Lossy("a\xF0\x9F\x98", out), 1);
  EXPECT_EQ(out, "a");
  EXPECT_EQ(AppendUtf8Lossy("\xF0\x9F\x98\x80\xFF", out), 5);
  EXPECT_EQ(out, std::string("a\xF0\x9F\x98\x80") + kBad);
}

}  // namespace
}  // namespace hybridserve
