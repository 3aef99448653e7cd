#include "scheduler/tokenizer/regex.h"

#include <string>
#include <utility>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using Matches = std::vector<std::pair<int64_t, int64_t>>;

Matches Find(const Regex& regex, absl::string_view text) {
  Matches matches;
  EXPECT_THAT(regex.ForEachMatch(text,
                                 [&](int64_t begin, int64_t end) {
                                   matches.emplace_back(begin, end);
                                 }),
              IsOk());
  return matches;
}

TEST(RegexTest, VisitsMatchesFromLeftToRight) {
  const Regex regex = Regex::Create("\\p{L}+").value();
  EXPECT_EQ(Find(regex, "a \xC3\xA9t\xC3\xA9!"), (Matches{{0, 1}, {2, 7}}));
  EXPECT_EQ(Find(regex, ""), Matches{});
}

TEST(RegexTest, EmptyMatchesButNotBehindAMatch) {
  EXPECT_EQ(Find(Regex::Create("x*").value(), "axb"),
            (Matches{{0, 0}, {1, 2}, {3, 3}}));
  EXPECT_EQ(Find(Regex::Create("x*").value(), "\xC3\xA9"),
            (Matches{{0, 0}, {2, 2}}));
}

// U+180E was white space before Unicode 6.3; U+0085 and U+2028 still are.
TEST(RegexTest, WhiteSpaceIsUnicodes) {
  const Regex regex = Regex::Create("\\s").value();
  EXPECT_EQ(Find(regex, "\xE1\xA0\x8E\xC2\x85\xE2\x80\xA8\x1C"),
            (Matches{{3, 5}, {5, 8}}));
}

TEST(RegexTest, LiteralsMeanThemselves) {
  const Regex regex = Regex::Literal(std::string("a.*\0\\", 5)).value();
  EXPECT_EQ(Find(regex, std::string("abb a.*\0\\ A.*", 13)), (Matches{{4, 9}}));
}

TEST(RegexTest, RefusesMalformedOrLargeOnes) {
  for (const std::string& pattern :
       {std::string("(a"), std::string("a)"), std::string("*"),
        std::string("\\p{Klingon}"), std::string("a{9}{99999}"),
        std::string("[b-a]"), std::string(20000, 'a'),
        std::string(1000, '(') + std::string(1000, ')')}) {
    EXPECT_THAT(
        Regex::Create(pattern),
        StatusIs(absl::StatusCode::kInvalidArgument, "regular expression"))
        << pattern.substr(0, 20);
  }
}

TEST(RegexTest, AnExponentialSearchGivesUp) {
  const Regex regex = Regex::Create("(a|a)*[bc]").value();
  EXPECT_THAT(regex.ForEachMatch(std::string(60, 'a'), [](int64_t, int64_t) {}),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(RegexTest, LongRunsAreNoTrouble) {
  const int64_t size = 1 << 20;
  const std::string spaces(size, ' ');
  const Regex regex =
      Regex::Create("\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+|(?:ab)+").value();
  EXPECT_EQ(Find(regex, spaces), (Matches{{0, size}}));
  EXPECT_EQ(Find(regex, spaces + "x"),
            (Matches{{0, size - 1}, {size - 1, size}}));
  std::string pairs;
  for (int64_t i = 0; i < size / 2; ++i) pairs += "ab";
  EXPECT_EQ(Find(regex, pairs), (Matches{{0, size}}));
}

}  // namespace
}  // namespace hybridserve
