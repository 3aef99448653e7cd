#include "scheduler/tokenizer/added_tokens.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Segments as strings: "#ID" or the text.
std::vector<std::string> Split(std::vector<AddedToken> tokens,
                               absl::string_view text,
                               Normalizer normalizer = Normalizer({})) {
  const auto added =
      AddedTokens::Create(std::move(tokens), std::move(normalizer));
  EXPECT_THAT(added, IsOk());
  const auto segments = added->Split(text);
  EXPECT_THAT(segments, IsOk());
  std::vector<std::string> shown;
  shown.reserve(segments->size());
  for (const AddedTokens::Segment& segment : *segments) {
    shown.push_back(segment.id == AddedTokens::Segment::kText
                        ? segment.text
                        : absl::StrCat("#", segment.id));
  }
  return shown;
}

TEST(AddedTokensTest, TheLongestTokenCounts) {
  EXPECT_THAT(Split({{.id = 1, .content = "<a>"},
                     {.id = 2, .content = "<a><b>"},
                     {.id = 3, .content = "<b>"}},
                    "x<a><b><b><a"),
              ElementsAre("x", "#2", "#3", "<a"));
  EXPECT_THAT(Split({}, ""), IsEmpty());
}

TEST(AddedTokensTest, StripsTakeUnicodeSpaces) {
  EXPECT_THAT(Split({{.id = 1, .content = "L", .lstrip = true}}, "a \u3000L b"),
              ElementsAre("a", "#1", " b"));
  EXPECT_THAT(Split({{.id = 1, .content = "R", .rstrip = true}}, "a R \n b"),
              ElementsAre("a ", "#1", "b"));
  EXPECT_THAT(Split({{.id = 1, .content = "B", .lstrip = true, .rstrip = true}},
                    " B B "),
              ElementsAre("#1", "#1"));
}

TEST(AddedTokensTest, SingleWordsStandAlone) {
  const std::vector<AddedToken> tokens = {
      {.id = 1, .content = "cat", .single_word = true}};
  EXPECT_THAT(Split(tokens, "cat-cat cats \u00E9cat cat"),
              ElementsAre("#1", "-", "#1", " cats \u00E9cat ", "#1"));
}

TEST(AddedTokensTest, NormalizedTokensAreFoundInNormalizedText) {
  const std::vector<AddedToken> tokens = {
      {.id = 1, .content = "Yes", .normalized = true},
      {.id = 2, .content = "<S>", .normalized = false}};
  EXPECT_THAT(
      Split(tokens, "A YES <s><S>yes", Normalizer({Normalizer::Lowercase{}})),
      ElementsAre("a ", "#1", " <s>", "#2", "#1"));
}

TEST(AddedTokensTest, SpecialOnesWinTies) {
  EXPECT_THAT(Split({{.id = 1, .content = "x"},
                     {.id = 2, .content = "X", .special = true}},
                    "x", Normalizer({Normalizer::Lowercase{}})),
              ElementsAre("#2"));
}

TEST(AddedTokensTest, RefusesLongContents) {
  EXPECT_THAT(
      AddedTokens::Create({{.id = 9, .content = std::string(513, 'a')}},
                          Normalizer({})),
      StatusIs(absl::StatusCode::kInvalidArgument, "added token 9 is longer"));
}

}  // namespace
}  // namespace hybridserve
