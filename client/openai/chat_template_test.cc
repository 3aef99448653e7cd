#include "client/openai/chat_template.h"

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

using ::testing::HasSubstr;

// In the style of ChatML.
constexpr char kByRole[] =
    "{{#MESSAGES}}<|{{ROLE}}|>\n{{CONTENT}}<|end|>\n{{/MESSAGES}}"
    "<|assistant|>\n";
constexpr char kBySection[] =
    "{{#MESSAGES}}{{#USER}}Q: {{CONTENT}}\n{{/USER}}"
    "{{#ASSISTANT}}A: {{CONTENT}}\n{{/ASSISTANT}}{{/MESSAGES}}A:\n";

const std::vector<ChatMessage>& Talk() {
  static const auto& talk = *new std::vector<ChatMessage>{
      {"user", "One?"}, {"assistant", "1"}, {"user", "Two?"}};
  return talk;
}

TEST(ChatTemplateTest, ShowsMessagesInOrder) {
  const auto by_role = ChatTemplate::Parse(kByRole);
  ASSERT_THAT(by_role, IsOk());
  EXPECT_THAT(by_role->Render(Talk()),
              IsOkAndHolds("<|user|>\nOne?<|end|>\n<|assistant|>\n1<|end|>\n"
                           "<|user|>\nTwo?<|end|>\n<|assistant|>"));
  const auto by_section = ChatTemplate::Parse(kBySection);
  ASSERT_THAT(by_section, IsOk());
  EXPECT_THAT(by_section->Render(Talk()),
              IsOkAndHolds("Q: One?\nA: 1\nQ: Two?\nA:"));
}

TEST(ChatTemplateTest, SomethingMayStandInForASystemMessage) {
  const auto result = ChatTemplate::Parse(
      "{{#NO_SYSTEM}}Be nice.\n{{/NO_SYSTEM}}"
      "{{#MESSAGES}}{{CONTENT}}\n{{/MESSAGES}}");
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->Render({{"user", "a"}, {"assistant", "b"}}),
              IsOkAndHolds("Be nice.\na\nb\n"));
  EXPECT_THAT(result->Render({{"user", "a"}, {"system", "Be brief."}}),
              IsOkAndHolds("a\nBe brief.\n"));
}

TEST(ChatTemplateTest, OneLineBreakAtTheEndIsNoPartOfIt) {
  const auto result =
      ChatTemplate::Parse("{{#MESSAGES}}{{CONTENT}}{{/MESSAGES}}\n\n");
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->Render({{"user", "a"}}), IsOkAndHolds("a\n"));
}

TEST(ChatTemplateTest, ContentIsTextWhateverItLooksLike) {
  const auto result = ChatTemplate::Parse(kByRole);
  ASSERT_THAT(result, IsOk());
  for (const char* content :
       {"{{ROLE}}", "{{#MESSAGES}}", "<b>&amp;\"'</b>", "{{>/etc/passwd}}",
        "%s\\n", "\xe2\x82\xac\n\n", ""}) {
    EXPECT_THAT(result->Render({{"user", content}}),
                IsOkAndHolds(std::string("<|user|>\n") + content +
                             "<|end|>\n<|assistant|>"));
  }
}

TEST(ChatTemplateTest, RolesWithoutAPlaceAreRefused) {
  const auto result = ChatTemplate::Parse(kBySection);
  ASSERT_THAT(result, IsOk());
  const absl::Status status =
      result->Render({{"user", "a"}, {"system", "b"}}).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("no place for \"system\"")));
  EXPECT_EQ(FieldOf(status), "messages[1].role");
}

TEST(ChatTemplateTest, BadOnesAreRefused) {
  for (const char* text :
       {"", "Hello", "{{#MESSAGES}}{{CONTENT}}", "{{CONTENT}}",
        "{{#MESSAGES}}{{#USER}}{{CONTENT}}{{/USER}}{{/MESSAGES}}", "{{ bad"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ChatTemplate::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  // In the library's words, which go nowhere else.
  testing::internal::CaptureStderr();
  EXPECT_THAT(ChatTemplate::Parse("{{#MESSAGES}}{{CONTENT}}").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("before all sections were closed")));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(ChatTemplate::Read("/does/not/exist"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("--chat_template: cannot read /does/not")));
}

}  // namespace
}  // namespace hybridserve::openai
