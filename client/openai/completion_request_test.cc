#include "client/openai/completion_request.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::StartsWith;

TEST(CompletionRequestTest, ReadsEveryField) {
  const auto request = ParseCompletionRequest(
      R"({"model":"m","prompt":"Hi","n":2,"best_of":2,"max_tokens":3,)"
      R"("temperature":0,"top_p":0.9,"seed":-1,"stop":["a","b"],"echo":false,)"
      R"("logprobs":1,"stream":true,"stream_options":{"include_usage":true},)"
      R"("user":"u","suffix":"","presence_penalty":0,"frequency_penalty":0.0,)"
      R"("repetition_penalty":1,"logit_bias":{},"top_k":4,"min_tokens":1,)"
      R"("ignore_eos":true,"priority":-5})");
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->prompts, ElementsAre(Prompt("Hi")));
  EXPECT_TRUE(request->log_probs);
  EXPECT_TRUE(request->top_log_probs);
  EXPECT_FALSE(request->echo);
  const GenerationFields& fields = request->fields;
  EXPECT_EQ(fields.choices_of_prompt, 2);
  EXPECT_TRUE(fields.stream);
  EXPECT_TRUE(fields.include_usage);
  EXPECT_EQ(fields.user, "u");
  const GenerationOptions& options = fields.options;
  EXPECT_EQ(options.model, "m");
  EXPECT_EQ(options.max_tokens, 3);
  EXPECT_EQ(options.temperature, 0);
  EXPECT_EQ(options.top_p, 0.9);
  EXPECT_EQ(options.seed, 18446744073709551615U);
  EXPECT_THAT(options.stop, ElementsAre("a", "b"));
  EXPECT_EQ(options.top_k, 4);
  EXPECT_EQ(options.min_tokens, 1);
  EXPECT_TRUE(options.ignore_eos);
  EXPECT_EQ(options.priority, -5);
  EXPECT_TRUE(options.log_probs);
}

TEST(CompletionRequestTest, DefaultsAreOpenAisAndNullsAreNothing) {
  for (const char* body :
       {R"({"model":"m","prompt":""})",
        R"({"model":"m","prompt":"","n":null,"max_tokens":null,"seed":null,)"
        R"("temperature":null,"stop":null,"logprobs":null,"echo":null,)"
        R"("stream":null,"stream_options":null,"user":null,"best_of":null,)"
        R"("suffix":null,"logit_bias":null,"presence_penalty":null})"}) {
    SCOPED_TRACE(body);
    const auto request = ParseCompletionRequest(body);
    ASSERT_THAT(request, IsOk());
    EXPECT_THAT(request->prompts, ElementsAre(Prompt("")));
    const GenerationFields& fields = request->fields;
    EXPECT_EQ(fields.choices_of_prompt, 1);
    EXPECT_EQ(fields.options.temperature, 1);
    EXPECT_EQ(fields.options.max_tokens, 16);
    EXPECT_EQ(fields.options.seed, std::nullopt);
    EXPECT_EQ(fields.user, std::nullopt);
    EXPECT_FALSE(fields.stream);
    EXPECT_FALSE(fields.options.log_probs);
  }
}

TEST(CompletionRequestTest, ThePromptsLogProbsCanBeAskedFor) {
  const auto request = ParseCompletionRequest(
      R"({"model":"m","prompt":[[1,2]],"echo":true,"logprobs":1,)"
      R"("temperature":0,"max_tokens":1,"seed":1234})");
  ASSERT_THAT(request, IsOk());
  EXPECT_TRUE(request->echo);
  EXPECT_TRUE(request->log_probs);
  EXPECT_TRUE(request->top_log_probs);
}

TEST(CompletionRequestTest, ReadsWhatChangesLogits) {
  const auto request = ParseCompletionRequest(
      R"({"model":"m","prompt":"Hi","presence_penalty":0.5,)"
      R"("frequency_penalty":-2,"repetition_penalty":1.25,)"
      R"("logit_bias":{"5":-100,"0":2.5}})");
  ASSERT_THAT(request, IsOk());
  const GenerationOptions& options = request->fields.options;
  EXPECT_EQ(options.presence_penalty, 0.5);
  EXPECT_EQ(options.frequency_penalty, -2);
  EXPECT_EQ(options.repetition_penalty, 1.25);
  EXPECT_THAT(options.logit_bias, ElementsAre(Pair(0, 2.5), Pair(5, -100)));
}

TEST(CompletionRequestTest, PromptsHaveFourForms) {
  using Ids = std::vector<int32_t>;
  const auto prompts = [](const char* prompt) {
    const auto request = ParseCompletionRequest(
        absl::StrCat(R"({"model":"m","prompt":)", prompt, "}"));
    EXPECT_THAT(request, IsOk()) << prompt;
    return request.ok() ? request->prompts : std::vector<Prompt>();
  };
  EXPECT_THAT(prompts(R"("a")"), ElementsAre(Prompt("a")));
  EXPECT_THAT(prompts(R"(["a","b"])"), ElementsAre(Prompt("a"), Prompt("b")));
  EXPECT_THAT(prompts("[1,2]"), ElementsAre(Prompt(Ids{1, 2})));
  EXPECT_THAT(prompts("[[1,2],[3]]"),
              ElementsAre(Prompt(Ids{1, 2}), Prompt(Ids{3})));
}

TEST(CompletionRequestTest, NamesTheFieldAtFault) {
  const struct {
    const char* more;
    const char* field;
  } cases[] = {
      {R"(,"prompt":"a")", nullptr},  // Twice.
      {R"(,"n":0)", "n"},
      {R"(,"n":129)", "n"},
      {R"(,"n":"1")", "n"},
      {R"(,"best_of":2)", "best_of"},
      {R"(,"max_tokens":1.5)", "max_tokens"},
      {R"(,"temperature":"hot")", "temperature"},
      {R"(,"top_p":[])", "top_p"},
      {R"(,"seed":1.5)", "seed"},
      {R"(,"stop":[1])", "stop"},
      {R"(,"stream":"yes")", "stream"},
      {R"(,"stream":true,"stream_options":5)", "stream_options"},
      {R"(,"stream":true,"stream_options":{"include_usage":1})",
       "stream_options.include_usage"},
      {R"(,"stream":true,"stream_options":{"x":1})", "stream_options.x"},
      {R"(,"stream_options":{"include_usage":true})", "stream_options"},
      {R"(,"user":5)", "user"},
      {R"(,"echo":"yes")", "echo"},
      {R"(,"logprobs":true)", "logprobs"},
      {R"(,"logprobs":6)", "logprobs"},
      {R"(,"logprobs":-1)", "logprobs"},
      {R"(,"logprobs":2,"echo":true)", "logprobs"},
      {R"(,"presence_penalty":true)", "presence_penalty"},
      {R"(,"frequency_penalty":"x")", "frequency_penalty"},
      {R"(,"repetition_penalty":[])", "repetition_penalty"},
      {R"(,"logit_bias":[5])", "logit_bias"},
      {R"(,"logit_bias":{"the":1})", "logit_bias"},
      {R"(,"logit_bias":{"-1":1})", "logit_bias"},
      {R"(,"logit_bias":{"05":1})", "logit_bias"},
      {R"(,"logit_bias":{"4294967296":1})", "logit_bias"},
      {R"(,"logit_bias":{"5":"1"})", "logit_bias"},
      {R"(,"suffix":"x")", "suffix"},
      {R"(,"max_tokns":5)", "max_tokns"},
  };
  for (const auto& [more, field] : cases) {
    SCOPED_TRACE(more);
    const absl::Status status =
        ParseCompletionRequest(
            absl::StrCat(R"({"model":"m","prompt":"Hi")", more, "}"))
            .status();
    ASSERT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    if (field == nullptr) continue;
    EXPECT_EQ(FieldOf(status), field);
    EXPECT_THAT(std::string(status.message()),
                StartsWith(absl::StrCat(field, ": ")));
  }
}

TEST(CompletionRequestTest, NamesThePromptAtFault) {
  const struct {
    const char* prompt;
    const char* field;
  } cases[] = {
      {"5", "prompt"},
      {"[]", "prompt"},
      {"{}", "prompt"},
      {"true", "prompt"},
      {"[1.5]", "prompt"},
      {"[-1]", "prompt"},
      {R"([1,"a"])", "prompt"},
      {"[[1],[]]", "prompt[1]"},
      {R"(["a",5])", "prompt[1]"},
      {"[[99999999999]]", "prompt[0]"},
      {"null", "prompt"},
  };
  for (const auto& [prompt, field] : cases) {
    SCOPED_TRACE(prompt);
    const absl::Status status =
        ParseCompletionRequest(
            absl::StrCat(R"({"model":"m","prompt":)", prompt, "}"))
            .status();
    ASSERT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_EQ(FieldOf(status), field);
  }
}

TEST(CompletionRequestTest, WhatIsMissingIsNamed) {
  EXPECT_EQ(FieldOf(ParseCompletionRequest(R"({"model":"m"})").status()),
            "prompt");
  EXPECT_EQ(FieldOf(ParseCompletionRequest(R"({"prompt":"a"})").status()),
            "model");
}

TEST(CompletionRequestTest, WhatIsNoJsonObjectIsWrong) {
  for (const char* body : {"", "{", "[]", "5", "null", "{} {}",
                           "{\"model\":\"m\",\"prompt\":\"\xff\"}"}) {
    SCOPED_TRACE(body);
    EXPECT_THAT(ParseCompletionRequest(body),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace hybridserve::openai
