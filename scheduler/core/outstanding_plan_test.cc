#include "scheduler/core/outstanding_plan.h"

#include <utility>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kVocabSize = 100;

// One sequence reads its prompt, one samples and wants two likeliest tokens,
// one is scored.
OutstandingPlan Plan() {
  StepSequence reads = {.sequence = SequenceId(1), .num_new = 7};
  StepSequence samples = {.sequence = SequenceId(2), .num_new = 1};
  samples.sample = true;
  samples.sampling.top_log_probs = 2;
  StepSequence scored = {.sequence = SequenceId(3), .num_new = 3};
  scored.score_targets = {5, -1, 6};
  return {.fence = {.term = 1, .epoch = 2, .step = 3},
          .sequences = {ExpectedResult::Of(reads, true),
                        ExpectedResult::Of(samples, false),
                        ExpectedResult::Of(scored, true)}};
}

// As it should be, in another order; sequences without values are left out.
StepResult Good() {
  SequenceResult scored = {.sequence = SequenceId(3)};
  scored.scores = {{.top_token = 1}, {.top_token = 99}};
  SequenceResult sampled = {.sequence = SequenceId(2), .token = 42};
  sampled.top = {{.token = 0}};
  StepResult result = {.fence = Plan().fence};
  result.sequences = {scored, sampled};
  return result;
}

TEST(OutstandingPlanTest, GivesResultsInThePlansOrder) {
  const auto matched = MatchResult(Plan(), kVocabSize, Good());
  ASSERT_THAT(matched.status(), IsOk());
  ASSERT_THAT(*matched, SizeIs(3));
  EXPECT_EQ((*matched)[0].sequence, SequenceId(1));
  EXPECT_EQ((*matched)[0].token, -1);
  EXPECT_EQ((*matched)[1].token, 42);
  EXPECT_THAT((*matched)[2].scores, SizeIs(2));
}

TEST(OutstandingPlanTest, CountsTokensOfPrompts) {
  EXPECT_EQ(Plan().num_prefill_tokens(), 10);
}

TEST(OutstandingPlanTest, AStepsErrorIsTheAnswer) {
  StepResult result = {.fence = Plan().fence};
  result.status = absl::FailedPreconditionError("table hash");
  EXPECT_THAT(
      MatchResult(Plan(), kVocabSize, std::move(result)).status(),
      StatusIs(StatusCode::kFailedPrecondition, HasSubstr("table hash")));
}

// One sound result with one change, and what is said of it.
TEST(OutstandingPlanTest, BelievesNothingThatCannotBe) {
  const struct {
    void (*change)(StepResult&);
    const char* says;
  } cases[] = {
      {[](StepResult& r) { r.sequences[1].token = 100; }, "2 has token 100"},
      {[](StepResult& r) { r.sequences[1].token = -1; }, "2 has token -1"},
      {[](StepResult& r) { r.sequences.pop_back(); }, "2 has token -1"},
      {[](StepResult& r) { r.sequences[0].token = 4; }, "3 has token 4"},
      {[](StepResult& r) { r.sequences[1].top.resize(3); },
       "2 has 3 likeliest tokens, not 2"},
      {[](StepResult& r) { r.sequences[1].top[0].token = -1; },
       "2 has likeliest token -1"},
      {[](StepResult& r) { r.sequences[0].scores.pop_back(); },
       "3 has 1 scores, not 2"},
      {[](StepResult& r) { r.sequences[0].scores[1].top_token = 100; },
       "3 has likeliest token 100"},
      {[](StepResult& r) { r.sequences.push_back(r.sequences[0]); },
       "3 is there twice"},
      {[](StepResult& r) {
         r.sequences.push_back({.sequence = SequenceId(4)});
       },
       "4 was not in the plan"},
  };
  for (const auto& c : cases) {
    StepResult result = Good();
    c.change(result);
    EXPECT_THAT(MatchResult(Plan(), kVocabSize, std::move(result)).status(),
                StatusIs(StatusCode::kInternal, HasSubstr(c.says)));
  }
}

TEST(OutstandingPlanTest, APlanWithoutSequencesGivesNothing) {
  const auto matched = MatchResult({}, kVocabSize, {});
  ASSERT_THAT(matched.status(), IsOk());
  EXPECT_THAT(*matched, IsEmpty());
}

}  // namespace
}  // namespace hybridserve
