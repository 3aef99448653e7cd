#include "client/openai/chat_request.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

constexpr char kHello[] =
    R"({"model":"m","messages":[{"role":"user","content":"Hi"}])";

TEST(ChatRequestTest, ReadsMessages) {
  const auto request = ParseChatRequest(
      R"({"model":"m","messages":[{"role":"developer","content":"Be brief."},)"
      R"({"role":"user","content":[{"type":"text","text":"a"},)"
      R"({"type":"text","text":"b"}]},)"
      R"({"role":"assistant","content":"c","tool_calls":null},)"
      R"({"role":"user","content":""}]})");
  ASSERT_THAT(request, IsOk());
  ASSERT_EQ(request->messages.size(), 4U);
  EXPECT_EQ(request->messages[0].role, "system");
  EXPECT_EQ(request->messages[0].content, "Be brief.");
  EXPECT_EQ(request->messages[1].role, "user");
  EXPECT_EQ(request->messages[1].content, "ab");
  EXPECT_EQ(request->messages[2].role, "assistant");
  EXPECT_EQ(request->messages[3].content, "");
  EXPECT_EQ(request->fields.options.max_tokens, std::nullopt);
  EXPECT_EQ(request->fields.options.temperature, 1);
}

TEST(ChatRequestTest, ReadsItsOwnFields) {
  const auto request = ParseChatRequest(absl::StrCat(
      kHello, R"(,"max_completion_tokens":5,"logprobs":true,"top_logprobs":7,)"
              R"("temperature":0,"n":3,"stream":true,"response_format":)"
              R"({"type":"text"},"tools":[],"tool_choice":"none",)"
              R"("modalities":["text"],"store":null})"));
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->fields.options.max_tokens, 5);
  EXPECT_TRUE(request->fields.options.log_probs);
  EXPECT_TRUE(request->log_probs);
  EXPECT_TRUE(request->top_log_probs);
  EXPECT_EQ(request->fields.options.top_log_probs, 7);
  EXPECT_EQ(request->fields.choices_of_prompt, 3);
  EXPECT_TRUE(request->fields.stream);
}

TEST(ChatRequestTest, TakesWhatChangesNothing) {
  for (const char* more :
       {R"("safety_identifier":"a")", R"("prompt_cache_key":"b")",
        R"("prompt_cache_retention":"24h")",
        R"("prompt_cache_options":{"mode":"explicit"})", R"("store":false)",
        R"("metadata":{})", R"("service_tier":"auto")",
        R"("service_tier":"default")", R"("parallel_tool_calls":true)",
        R"("parallel_tool_calls":false)"}) {
    EXPECT_THAT(ParseChatRequest(absl::StrCat(kHello, ",", more, "}")), IsOk())
        << more;
  }
  const auto request = ParseChatRequest(
      R"({"model":"m","messages":[{"role":"user","content":"a","name":"Ann"},)"
      R"({"role":"assistant","content":"b","tool_calls":[],"annotations":[],)"
      R"("refusal":null}]})");
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->messages[0].content, "a");
  EXPECT_EQ(request->messages[1].content, "b");
}

TEST(ChatRequestTest, NamesTheFieldAtFault) {
  const struct {
    const char* more;
    const char* field;
  } cases[] = {
      {R"(,"max_tokens":1,"max_completion_tokens":1)", "max_tokens"},
      {R"(,"max_completion_tokens":"x")", "max_completion_tokens"},
      {R"(,"logprobs":1)", "logprobs"},
      {R"(,"top_logprobs":0)", "top_logprobs"},
      {R"(,"logprobs":true,"top_logprobs":21)", "top_logprobs"},
      {R"(,"tools":[{}])", "tools"},
      {R"(,"tool_choice":"auto")", "tool_choice"},
      {R"(,"response_format":{"type":"json_object"})", "response_format"},
      {R"(,"modalities":["text","audio"])", "modalities"},
      {R"(,"store":true)", "store"},
      {R"(,"metadata":{"a":"b"})", "metadata"},
      {R"(,"service_tier":"flex")", "service_tier"},
      {R"(,"parallel_tool_calls":1)", "parallel_tool_calls"},
      {R"(,"safety_identifier":5)", "safety_identifier"},
      {R"(,"prompt_cache_options":"24h")", "prompt_cache_options"},
      {R"(,"prompt":"x")", "prompt"},
      {R"(,"best_of":1)", "best_of"},
  };
  for (const auto& [more, field] : cases) {
    SCOPED_TRACE(more);
    const absl::Status status =
        ParseChatRequest(absl::StrCat(kHello, more, "}")).status();
    ASSERT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_EQ(FieldOf(status), field);
  }
}

TEST(ChatRequestTest, NamesTheMessageAtFault) {
  const struct {
    const char* messages;
    const char* field;
  } cases[] = {
      {"5", "messages"},
      {"[]", "messages"},
      {"null", "messages"},
      {"[5]", "messages[0]"},
      {R"([{"content":"a"}])", "messages[0].role"},
      {R"([{"role":"tool","content":"a"}])", "messages[0].role"},
      {R"([{"role":5,"content":"a"}])", "messages[0].role"},
      {R"([{"role":"user"}])", "messages[0].content"},
      {R"([{"role":"user","content":5}])", "messages[0].content"},
      {R"([{"role":"user","content":[{"type":"image_url"}]}])",
       "messages[0].content"},
      {R"([{"role":"user","content":[{"type":"text"}]}])",
       "messages[0].content"},
      {R"([{"role":"user","content":"a","nam":"x"}])", "messages[0].nam"},
      {R"([{"role":"assistant","content":"a","tool_calls":[{}]}])",
       "messages[0].tool_calls"},
      {R"([{"role":"assistant","content":"a","refusal":"No."}])",
       "messages[0].refusal"},
      {R"([{"role":"user","content":"a","name":5}])", "messages[0].name"},
  };
  for (const auto& [messages, field] : cases) {
    SCOPED_TRACE(messages);
    const absl::Status status =
        ParseChatRequest(
            absl::StrCat(R"({"model":"m","messages":)", messages, "}"))
            .status();
    ASSERT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_EQ(FieldOf(status), field);
  }
}

}  // namespace
}  // namespace hybridserve::openai
