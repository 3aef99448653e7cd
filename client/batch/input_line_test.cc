#include "client/batch/input_line.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(InputLineTest, ReadsEveryField) {
  const InputLine line = ParseInputLine(
      7, R"({"id":"a","prompt":"Hi","max_tokens":3,"min_tokens":2,)"
         R"("priority":-5,)"
         R"("temperature":0.5,)"
         R"("top_k":4,"top_p":0.9,"seed":18446744073709551615,)"
         R"("presence_penalty":0.25,"frequency_penalty":-1,)"
         R"("repetition_penalty":1.5,"logit_bias":{"5":-100,"0":2},)"
         R"("stop":["x","y"],"ignore_eos":true,"model":"m"})");
  ASSERT_THAT(line.status, IsOk());
  EXPECT_EQ(line.number, 7);
  EXPECT_EQ(line.id, "a");
  EXPECT_EQ(line.prompt, "Hi");
  EXPECT_EQ(line.options.max_tokens, 3);
  EXPECT_EQ(line.options.min_tokens, 2);
  EXPECT_EQ(line.options.priority, -5);
  EXPECT_EQ(line.options.temperature, 0.5);
  EXPECT_EQ(line.options.top_k, 4);
  EXPECT_EQ(line.options.top_p, 0.9);
  EXPECT_EQ(line.options.presence_penalty, 0.25);
  EXPECT_EQ(line.options.frequency_penalty, -1);
  EXPECT_EQ(line.options.repetition_penalty, 1.5);
  EXPECT_THAT(line.options.logit_bias, ElementsAre(Pair(0, 2), Pair(5, -100)));
  EXPECT_EQ(line.options.seed, 18446744073709551615U);
  EXPECT_THAT(line.options.stop, ElementsAre("x", "y"));
  EXPECT_EQ(line.options.ignore_eos, true);
  EXPECT_EQ(line.options.model, "m");
}

TEST(InputLineTest, UnsetDiffersFromZero) {
  const InputLine line =
      ParseInputLine(1, R"({"token_ids":[1,2],"max_tokens":0})");
  ASSERT_THAT(line.status, IsOk());
  EXPECT_THAT(line.token_ids, ElementsAre(1, 2));
  EXPECT_EQ(line.options.max_tokens, 0);
  EXPECT_EQ(line.options.temperature, std::nullopt);
  EXPECT_TRUE(line.id.is_null());
}

TEST(InputLineTest, SaysWhatIsWrongAndKeepsTheId) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {R"({"id":1})", "needs one of"},
      {R"({"id":1,"prompt":"a","token_ids":[1]})", "needs one of"},
      {R"({"id":1,"prompt":5})", "\"prompt\": must be a string"},
      {R"({"id":1,"token_ids":[]})", "\"token_ids\""},
      {R"({"id":1,"token_ids":[1.5]})", "\"token_ids\""},
      {R"({"id":1,"token_ids":[99999999999]})", "\"token_ids\""},
      {R"({"id":1,"prompt":"a","max_tokns":5})", "\"max_tokns\": unknown"},
      {R"({"id":1,"prompt":"a","seed":-1})", "\"seed\""},
      {R"({"id":1,"prompt":"a","frequency_penalty":"1"})",
       "\"frequency_penalty\""},
      {R"({"id":1,"prompt":"a","logit_bias":{"a":1}})", "\"logit_bias\""},
      {R"({"id":1,"prompt":"a","stop":[1]})", "\"stop\""},
      {R"({"id":1,"prompt":"a","ignore_eos":1})", "\"ignore_eos\""},
  };
  for (const auto& [text, message] : cases) {
    SCOPED_TRACE(text);
    const InputLine line = ParseInputLine(1, text);
    EXPECT_EQ(line.id, 1);
    EXPECT_THAT(line.status, StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr(message)));
  }
}

TEST(InputLineTest, WhatIsNoJsonObjectIsWrong) {
  for (const char* text : {"", "{", "[]", "5", "\"x\"", "{\"prompt\":\"\xff\"}",
                           "null", "{} {}"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ParseInputLine(1, text).status,
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace hybridserve
