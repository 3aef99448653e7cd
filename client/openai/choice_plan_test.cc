#include "client/openai/choice_plan.h"

#include <string>

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

TEST(ChoicePlanTest, ChoicesOfAPromptAreNextToEachOther) {
  GenerationFields fields;
  fields.options.model = "m";
  fields.options.seed = 7;
  fields.options.max_tokens = 3;
  fields.choices_of_prompt = 2;
  const auto plan =
      PlanChoices(fields, {Prompt("a"), Prompt(std::vector<int32_t>{1, 2})});
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->size(), 4U);
  for (const int i : {0, 1}) EXPECT_EQ((*plan)[i].prompt(), "a");
  for (const int i : {2, 3}) {
    EXPECT_THAT((*plan)[i].token_ids().ids(), ::testing::ElementsAre(1, 2));
  }
  // A prompt's choices don't depend on what other prompts there are.
  EXPECT_EQ((*plan)[0].sampling().seed(), 7U);
  EXPECT_EQ((*plan)[2].sampling().seed(), 7U);
  EXPECT_NE((*plan)[1].sampling().seed(), 7U);
  EXPECT_EQ((*plan)[1].sampling().seed(), (*plan)[3].sampling().seed());
  for (const v1::GenerateStreamRequest& request : *plan) {
    EXPECT_EQ(request.model(), "m");
    EXPECT_EQ(request.sampling().temperature(), 1);
    EXPECT_EQ(request.stopping().max_tokens(), 3U);
  }
}

TEST(ChoicePlanTest, WithoutASeedTheServerChooses) {
  GenerationFields fields;
  fields.choices_of_prompt = 2;
  const auto plan = PlanChoices(fields, {Prompt("a")});
  ASSERT_THAT(plan, IsOk());
  for (const v1::GenerateStreamRequest& request : *plan) {
    EXPECT_FALSE(request.sampling().has_seed());
  }
}

TEST(ChoicePlanTest, TooManyOrTooLargeTogether) {
  GenerationFields fields;
  fields.choices_of_prompt = 128;
  const std::vector<Prompt> many(9, Prompt("a"));
  EXPECT_EQ(FieldOf(PlanChoices(fields, many).status()), "n");
  const std::vector<Prompt> large(1, Prompt(std::string(1 << 20, 'a')));
  EXPECT_EQ(FieldOf(PlanChoices(fields, large).status()), "n");
  fields.choices_of_prompt = 64;
  EXPECT_THAT(PlanChoices(fields, large), IsOk());
}

}  // namespace
}  // namespace hybridserve::openai
