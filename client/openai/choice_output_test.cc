#include "client/openai/choice_output.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::string> NoText(uint32_t) {
  return absl::InternalError("nobody needs it");
}

v1::GenerateStreamResponse Tokens(const std::string& text,
                                  std::initializer_list<uint32_t> ids,
                                  bool log_probs = false) {
  v1::GenerateStreamResponse message;
  v1::TokenOutput& output = *message.mutable_token_output();
  output.set_text_delta(text);
  for (const uint32_t id : ids) {
    output.add_token_ids(id);
    if (log_probs) output.add_log_probs(-static_cast<float>(id));
  }
  return message;
}

v1::GenerateStreamResponse End(v1::FinishReason reason) {
  v1::GenerateStreamResponse message;
  message.mutable_finished()->set_reason(reason);
  message.mutable_usage()->set_prompt_tokens(3);
  message.mutable_usage()->set_completion_tokens(2);
  return message;
}

TEST(ChoiceOutputTest, PutsPartsTogether) {
  ChoiceOutput choice(4, NoText);
  v1::GenerateStreamResponse accepted;
  accepted.mutable_accepted();
  auto part = choice.Add(accepted);
  ASSERT_THAT(part, IsOk());
  EXPECT_EQ(part->text, "");
  ASSERT_THAT(choice.Add(Tokens("Hel", {1})), IsOk());
  part = choice.Add(Tokens("lo", {2}));
  ASSERT_THAT(part, IsOk());
  EXPECT_EQ(part->index, 4);
  EXPECT_EQ(part->text, "lo");
  EXPECT_FALSE(choice.finished());
  part = choice.Add(End(v1::FINISH_REASON_LENGTH));
  ASSERT_THAT(part, IsOk());
  EXPECT_EQ(part->finish_reason, "length");
  EXPECT_TRUE(choice.finished());
  EXPECT_EQ(choice.whole().text, "Hello");
  EXPECT_EQ(choice.whole().finish_reason, "length");
  EXPECT_EQ(choice.usage().completion_tokens(), 2U);
}

TEST(ChoiceOutputTest, TokensHaveTheirPlaces) {
  ChoiceOutput choice(0, [](uint32_t id) { return absl::StrCat("t", id); });
  choice.SetPrefix("\xc3\xa9\xe2\x82\xac");  // Two characters.
  ASSERT_THAT(choice.Add(Tokens("t1t2", {1, 2}, true)), IsOk());
  ASSERT_THAT(choice.Add(Tokens("t30", {30}, true)), IsOk());
  const auto& log_probs = choice.whole().log_probs;
  ASSERT_EQ(log_probs.size(), 3U);
  EXPECT_EQ(log_probs[0].token, "t1");
  EXPECT_EQ(log_probs[0].log_prob, -1);
  EXPECT_EQ(log_probs[0].text_offset, 2);
  EXPECT_EQ(log_probs[1].text_offset, 4);
  EXPECT_EQ(log_probs[2].text_offset, 6);
  EXPECT_EQ(choice.whole().text, "\xc3\xa9\xe2\x82\xact1t2t30");
}

TEST(ChoiceOutputTest, AbortedOnTheServerIsAnError) {
  ChoiceOutput choice(0, NoText);
  EXPECT_THAT(
      choice.Add(End(v1::FINISH_REASON_CANCELLED)),
      StatusIs(absl::StatusCode::kCancelled, HasSubstr("on the server")));
  EXPECT_FALSE(choice.finished());
}

TEST(ChoiceOutputTest, TextsThatCannotBeHadAreAnError) {
  ChoiceOutput choice(0, NoText);
  EXPECT_THAT(choice.Add(Tokens("a", {1}, true)),
              StatusIs(absl::StatusCode::kInternal));
}

}  // namespace
}  // namespace hybridserve::openai
