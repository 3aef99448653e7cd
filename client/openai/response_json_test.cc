#include "client/openai/response_json.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

using nlohmann::json;

json Parsed(const nlohmann::ordered_json& body) {
  return json::parse(ToText(body));
}

TEST(ResponseJsonTest, WholeCompletion) {
  const ResponseHead head = {.id = "cmpl-1", .created = 5, .model = "m"};
  const std::vector<ChoicePart> choices = {
      {.index = 0, .text = "a", .finish_reason = "stop"},
      {.index = 1, .text = "b", .finish_reason = "length"}};
  EXPECT_EQ(Parsed(WholeBody(head, choices, {3, 4})), json::parse(R"({
      "id":"cmpl-1","object":"text_completion","created":5,"model":"m",
      "choices":[
        {"index":0,"text":"a","logprobs":null,"finish_reason":"stop"},
        {"index":1,"text":"b","logprobs":null,"finish_reason":"length"}],
      "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}})"));
}

TEST(ResponseJsonTest, CompletionChunks) {
  ResponseHead head = {.id = "cmpl-1", .created = 5, .model = "m"};
  EXPECT_EQ(Parsed(ChunkBody(head, {.index = 2, .text = "a"})), json::parse(R"({
      "id":"cmpl-1","object":"text_completion","created":5,"model":"m",
      "choices":[
        {"index":2,"text":"a","logprobs":null,"finish_reason":null}]})"));
  head.usage_of_stream = true;
  EXPECT_TRUE(Parsed(ChunkBody(head, {})).at("usage").is_null());
  const json usage = Parsed(UsageChunkBody(head, {3, 4}));
  EXPECT_EQ(usage["choices"], json::array());
  EXPECT_EQ(usage["usage"]["total_tokens"], 7);
}

TEST(ResponseJsonTest, WholeChat) {
  const ResponseHead head = {
      .api = Api::kChat, .id = "chatcmpl-1", .created = 5, .model = "m"};
  const std::vector<ChoicePart> choices = {
      {.index = 0, .text = "a", .finish_reason = "stop"}};
  EXPECT_EQ(Parsed(WholeBody(head, choices, {3, 4})), json::parse(R"({
      "id":"chatcmpl-1","object":"chat.completion","created":5,"model":"m",
      "choices":[{"index":0,"message":{"role":"assistant","content":"a"},
                  "logprobs":null,"finish_reason":"stop"}],
      "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}})"));
}

TEST(ResponseJsonTest, ChatChunks) {
  const ResponseHead head = {
      .api = Api::kChat, .id = "chatcmpl-1", .created = 5, .model = "m"};
  const auto delta = [&](const ChoicePart& part) {
    return Parsed(ChunkBody(head, part))["choices"][0]["delta"];
  };
  EXPECT_EQ(Parsed(ChunkBody(head, {}))["object"], "chat.completion.chunk");
  EXPECT_EQ(delta({.opens = true}),
            json::parse(R"({"role":"assistant","content":""})"));
  EXPECT_EQ(delta({.text = "a"}), json::parse(R"({"content":"a"})"));
  EXPECT_EQ(delta({.finish_reason = "stop"}), json::object());
}

TEST(ResponseJsonTest, LogProbsOfCompletions) {
  ResponseHead head = {.log_probs = true};
  const ChoicePart part = {
      .log_probs = {{"a", -0.5, 0, {{"c", -0.25}, {"a", -0.5}}},
                    {"b",
                     -std::numeric_limits<double>::infinity(),
                     1,
                     {{"d", -0.125}, {"d", -3}}}}};
  EXPECT_EQ(Parsed(ChunkBody(head, part))["choices"][0]["logprobs"],
            json::parse(R"({"tokens":["a","b"],"token_logprobs":[-0.5,-9999.0],
                "top_logprobs":null,"text_offset":[0,1]})"));
  head.top_log_probs = true;
  EXPECT_EQ(
      Parsed(ChunkBody(head, part))["choices"][0]["logprobs"]["top_logprobs"],
      json::parse(R"([{"c":-0.25,"a":-0.5},{"d":-0.125,"b":-9999.0}])"));
}

TEST(ResponseJsonTest, LogProbsOfChats) {
  const ResponseHead head = {
      .api = Api::kChat, .log_probs = true, .top_log_probs = true};
  const ChoicePart part = {
      .log_probs = {{"\xc3\xa9", -0.5, 0, {{"\xc3\xa9", -0.5}}},
                    {"\xef\xbf\xbd", -1, 1, {{"a", -0.5}, {"b", -0.75}}}}};
  EXPECT_EQ(Parsed(ChunkBody(head, part))["choices"][0]["logprobs"]["content"],
            json::parse(R"([
      {"token":"\u00e9","logprob":-0.5,"bytes":[195,169],"top_logprobs":[
        {"token":"\u00e9","logprob":-0.5,"bytes":[195,169]}]},
      {"token":"\ufffd","logprob":-1.0,"bytes":null,"top_logprobs":[
        {"token":"a","logprob":-0.5,"bytes":[97]},
        {"token":"b","logprob":-0.75,"bytes":[98]}]}])"));
}

}  // namespace
}  // namespace hybridserve::openai
