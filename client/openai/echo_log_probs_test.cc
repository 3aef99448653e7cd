#include "client/openai/echo_log_probs.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

using ::testing::IsEmpty;

// 0 is special, 1 to 8 are letters, 9 a part of a character.
absl::StatusOr<std::string> TextOf(uint32_t id) {
  if (id == 0) return "</s>";
  if (id == 9) return "\xef\xbf\xbd";
  if (id > 9) return absl::NotFoundError("no such id");
  return absl::StrCat(std::string(1, static_cast<char>('a' + id)), "\xc3\xa9");
}

v1::ScoreResponse Scores(std::initializer_list<uint32_t> ids,
                         std::initializer_list<uint32_t> tops) {
  v1::ScoreResponse scores;
  for (const uint32_t id : ids) scores.add_token_ids(id);
  for (const uint32_t top : tops) {
    scores.add_log_probs(-0.5F - static_cast<float>(scores.log_probs_size()));
    scores.add_top_token_ids(top);
    scores.add_top_log_probs(-0.25F);
  }
  return scores;
}

TEST(EchoLogProbsTest, TokensHaveTheirPlacesAndTheLikeliest) {
  const auto tokens = EchoLogProbs(Scores({0, 1, 2, 3}, {1, 5, 3}),
                                   "b\xc3\xa9"
                                   "c\xc3\xa9"
                                   "d\xc3\xa9",
                                   TextOf);
  ASSERT_THAT(tokens, IsOk());
  ASSERT_EQ(tokens->size(), 4U);
  EXPECT_EQ((*tokens)[0].token, "</s>");
  EXPECT_EQ((*tokens)[0].log_prob, std::nullopt);
  EXPECT_EQ((*tokens)[0].text_offset, 0);
  EXPECT_EQ((*tokens)[1].log_prob, -0.5);
  EXPECT_EQ((*tokens)[1].text_offset, 0);  // </s> is not shown.
  EXPECT_EQ((*tokens)[1].top.at(0).token, "b\xc3\xa9");
  EXPECT_EQ((*tokens)[2].text_offset, 2);  // Characters.
  ASSERT_EQ((*tokens)[2].top.size(), 1U);
  EXPECT_EQ((*tokens)[2].top[0].token, "f\xc3\xa9");
  EXPECT_EQ((*tokens)[2].top[0].log_prob, -0.25);
  EXPECT_EQ((*tokens)[3].text_offset, 4);
}

TEST(EchoLogProbsTest, PartsOfACharacterBeginWithIt) {
  const auto tokens = EchoLogProbs(Scores({1, 9, 9, 2}, {9, 1, 9}),
                                   "b\xc3\xa9"
                                   "\xc3\xa9"
                                   "c\xc3\xa9",
                                   TextOf);
  ASSERT_THAT(tokens, IsOk());
  EXPECT_EQ((*tokens)[1].text_offset, 2);
  EXPECT_EQ((*tokens)[2].text_offset, 2);
  EXPECT_EQ((*tokens)[3].text_offset, 3);
}

TEST(EchoLogProbsTest, OneTokenAndNone) {
  EXPECT_THAT(EchoLogProbs(Scores({}, {}), "", TextOf),
              IsOkAndHolds(IsEmpty()));
  const auto one = EchoLogProbs(Scores({3}, {}), "d\xc3\xa9", TextOf);
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ(one->front().log_prob, std::nullopt);
}

TEST(EchoLogProbsTest, WhatDoesNotFitIsAnError) {
  EXPECT_THAT(EchoLogProbs(Scores({1, 2}, {}), "", TextOf),
              StatusIs(absl::StatusCode::kInternal, "do not fit"));
  EXPECT_THAT(EchoLogProbs(Scores({1, 10}, {1}), "", TextOf),
              StatusIs(absl::StatusCode::kNotFound, "no such id"));
}

}  // namespace
}  // namespace hybridserve::openai
