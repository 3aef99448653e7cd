#include "scheduler/tokenizer/pre_tokenizer.h"

#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Split(std::vector<PreTokenizer::Step> steps,
                               absl::string_view text, bool begins = true) {
  PreTokenizer::Pieces pieces;
  EXPECT_THAT(PreTokenizer(std::move(steps)).Split(text, begins, pieces),
              IsOk());
  return std::vector<std::string>(pieces.views().begin(), pieces.views().end());
}

std::vector<std::string> SplitAtDashes(SplitBehavior behavior,
                                       bool invert = false) {
  return Split({{.regex = Regex::Literal("-").value(),
                 .behavior = behavior,
                 .invert = invert}},
               "a-b--c");
}

TEST(PreTokenizerTest, EachBehavior) {
  EXPECT_THAT(SplitAtDashes(SplitBehavior::kRemoved),
              ElementsAre("a", "b", "c"));
  EXPECT_THAT(SplitAtDashes(SplitBehavior::kIsolated),
              ElementsAre("a", "-", "b", "-", "-", "c"));
  EXPECT_THAT(SplitAtDashes(SplitBehavior::kMergedWithPrevious),
              ElementsAre("a-", "b-", "-", "c"));
  EXPECT_THAT(SplitAtDashes(SplitBehavior::kMergedWithNext),
              ElementsAre("a", "-b", "-", "-c"));
  EXPECT_THAT(SplitAtDashes(SplitBehavior::kContiguous),
              ElementsAre("a", "-", "b", "--", "c"));
  EXPECT_THAT(SplitAtDashes(SplitBehavior::kRemoved, /*invert=*/true),
              ElementsAre("-", "-", "-"));
}

TEST(PreTokenizerTest, Gpt2LeavesOneSpaceWithTheWord) {
  EXPECT_THAT(Split({{.regex = PreTokenizer::Gpt2Regex()}},
                    "I'm  12 caf\xC3\xA9s,\n\n ok "),
              ElementsAre("I", "'m", " ", " 12", " caf\xC3\xA9s", ",", "\n\n",
                          " ok", " "));
}

TEST(PreTokenizerTest, PrefixSpaceGoesBeforeEachPieceWithoutOne) {
  EXPECT_THAT(
      Split({{.regex = Regex::Literal("b").value()}, {.prefix = " "}}, "a b c"),
      ElementsAre(" a ", " b", " c"));
}

TEST(PreTokenizerTest, SpacesBecomeWhatTheStepSays) {
  EXPECT_THAT(Split({{.space = "_", .prefix = "_"}}, "a b  c"),
              ElementsAre("_a_b__c"));
  EXPECT_THAT(Split({{.space = "_", .prefix = "_"}}, " a b"),
              ElementsAre("_a_b"));
}

TEST(PreTokenizerTest, PrefixGoesOnlyBeforeWhatBeginsTheText) {
  const PreTokenizer::Step first = {.prefix = "_", .prefix_first = true};
  EXPECT_THAT(Split({first}, "ab"), ElementsAre("_ab"));
  EXPECT_THAT(Split({first}, "ab", /*begins=*/false), ElementsAre("ab"));
  const auto dash = [](SplitBehavior behavior) {
    return PreTokenizer::Step{.regex = Regex::Literal("-").value(),
                              .behavior = behavior};
  };
  EXPECT_THAT(Split({dash(SplitBehavior::kIsolated), first}, "-a-b"),
              ElementsAre("_-", "a", "-", "b"));
  // What is left of it does not begin it.
  EXPECT_THAT(Split({dash(SplitBehavior::kRemoved), first}, "-a-b"),
              ElementsAre("a", "b"));
}

TEST(PreTokenizerTest, NoTextNoPieces) {
  EXPECT_THAT(Split({{.prefix = " "}}, ""), IsEmpty());
  EXPECT_THAT(Split({}, "whole"), ElementsAre("whole"));
}

}  // namespace
}  // namespace hybridserve
