#include "scheduler/tokenizer/normalizer.h"

#include <string>
#include <utility>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using Form = Normalizer::UnicodeForm;

std::string Normalize(Normalizer::Step step, absl::string_view text) {
  const auto result = Normalizer({std::move(step)}).Normalize(text);
  EXPECT_THAT(result, IsOk());
  return result.value_or("");
}

TEST(NormalizerTest, UnicodeForms) {
  EXPECT_EQ(Normalize(Form::kNfc, "e\u0301\u212B\uFB01"), "\u00E9\u00C5\uFB01");
  EXPECT_EQ(Normalize(Form::kNfd, "\u00E9"), "e\u0301");
  EXPECT_EQ(Normalize(Form::kNfkc, "\uFB01\u2460"), "fi1");
  EXPECT_EQ(Normalize(Form::kNfkd, "\u1E9B\u0323"), "s\u0323\u0307");
}

TEST(NormalizerTest, LowercaseKnowsNoContext) {
  EXPECT_EQ(
      Normalize(Normalizer::Lowercase{}, "\u0130\u039F\u0394\u039F\u03A3"),
      "i\u0307\u03BF\u03B4\u03BF\u03C3");
}

TEST(NormalizerTest, StripPrependReplace) {
  EXPECT_EQ(Normalize(Normalizer::Strip{true, true}, "\u3000 a b\n"), "a b");
  EXPECT_EQ(Normalize(Normalizer::Strip{true, false}, " a "), "a ");
  EXPECT_EQ(Normalize(Normalizer::Strip{false, true}, " a "), " a");
  EXPECT_EQ(Normalize(Normalizer::Strip{true, true}, " \n"), "");
  EXPECT_EQ(Normalize(Normalizer::Prepend{"_"}, "a"), "_a");
  EXPECT_EQ(Normalize(Normalizer::Prepend{"_"}, ""), "");
  const Regex spaces = Regex::Create("\\s+").value();
  EXPECT_EQ(Normalize(Normalizer::Replace{spaces, "$0"}, "a  b "), "a$0b$0");
  EXPECT_EQ(Normalize(Normalizer::StripAccents{}, "e\u0301a\u0903"),
            "ea\u0903");  // Nonspacing marks only.
}

TEST(NormalizerTest, StepsFollowEachOther) {
  const Normalizer normalizer({Form::kNfkc, Normalizer::Lowercase{}});
  EXPECT_THAT(normalizer.Normalize("\uFF21"), IsOkAndHolds("a"));
  EXPECT_THAT(Normalizer({}).Normalize("\uFF21"), IsOkAndHolds("\uFF21"));
}

// Short runs are ICU's work alone: splitting one mark off must not matter.
// U+0F73 is no mark by its own class, but decomposes into two; U+0344 too.
TEST(NormalizerTest, LongRunsOfMarksAreSortedAlike) {
  for (const char* unit : {"\u0301\u0323", "\u0F73\u0345", "\u0344\u0316"}) {
    std::string text = "e";
    for (int i = 0; i < 80; ++i) text += unit;
    const std::string sorted = Normalize(Form::kNfd, text);
    EXPECT_EQ(sorted, Normalize(Form::kNfd, sorted));
    EXPECT_EQ(Normalize(Form::kNfc, sorted), Normalize(Form::kNfc, text));
  }
}

TEST(NormalizerTest, AMegabyteOfMarksIsNoWork) {
  std::string marks;
  for (int i = 0; i < 1 << 18; ++i) marks += "\u0301\u0323";
  EXPECT_EQ(Normalize(Form::kNfc, marks).size(), marks.size());
}

TEST(NormalizerTest, TextThatGrowsWithoutEndIsRefused) {
  const Normalizer::Replace grow = {Regex::Literal("a").value(),
                                    std::string(20'000, 'a')};
  EXPECT_THAT(Normalizer({grow, grow, grow}).Normalize("a"),
              StatusIs(absl::StatusCode::kResourceExhausted, "too long"));
}

}  // namespace
}  // namespace hybridserve
