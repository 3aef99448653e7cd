#include "scheduler/tokenizer/regex_syntax.h"

#include <string>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(RegexSyntaxTest, RewordsWhatTheEnginesReadDifferently) {
  EXPECT_THAT(OnigurumaToPcre2(R"(\s+(?!\S)|[^\s\p{L}])"),
              IsOkAndHolds(R"(\p{White_Space}+(?!\P{White_Space}))"
                           R"(|[^\p{White_Space}\p{L}])"));
  EXPECT_THAT(OnigurumaToPcre2(R"(\p{Han}\p{^N}\P{Lu}\P{^Lu})"),
              IsOkAndHolds(R"(\p{sc:Han}\P{N}\P{Lu}\p{Lu})"));
}

TEST(RegexSyntaxTest, KeepsTheRest) {
  for (const char* pattern :
       {"(?i:'s|'t)|[^\\r\\n\\p{L}]?+\\p{N}{1,3}", "(?>a+)(?<=b)(?<!c)(?=d)",
        "(?i)ab", "[a-z\\]\\-]*?", "^.$", "\\x41\\x{1F600}\\.\\d",
        "a{2}b{2,}"}) {
    EXPECT_THAT(OnigurumaToPcre2(pattern), IsOkAndHolds(pattern));
  }
}

TEST(RegexSyntaxTest, RefusesTheRest) {
  for (const char* pattern : {"\\w",
                              "\\b",
                              "\\R",
                              "\\1",
                              "\\h",
                              "\\K",
                              "(?R)",
                              "(?<n>a)",
                              "(*FAIL)",
                              "(?m:a)",
                              "a(?i)b",
                              "[[:alpha:]]",
                              "[a&&b]",
                              "[a",
                              "[]a]",
                              "a{1,3}+",
                              "a{,3}",
                              "{",
                              "\\pL",
                              "\\p{}",
                              "\\p{L",
                              "\\p{a=b}",
                              "\\x4",
                              "\\xFF",
                              "\\x{110000000}",
                              "\\",
                              "(?i:ss)",
                              "(?i:\xC3\x9F)",
                              "(?#c)",
                              "(?~a)"}) {
    EXPECT_THAT(
        OnigurumaToPcre2(pattern),
        StatusIs(absl::StatusCode::kInvalidArgument, "is not supported"))
        << pattern;
  }
}

TEST(RegexSyntaxTest, SaysWhere) {
  EXPECT_THAT(OnigurumaToPcre2("abc\\w"),
              StatusIs(absl::StatusCode::kInvalidArgument, "at byte 3"));
}

}  // namespace
}  // namespace hybridserve
