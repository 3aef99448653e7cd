#include "scheduler/tokenizer/special_tokens.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(SpecialTokensTest, NoFilesNoTokens) {
  const auto special = ParseSpecialTokens("", "");
  ASSERT_THAT(special, IsOk());
  EXPECT_TRUE(special->roles.empty());
  EXPECT_FALSE(special->add_bos_token);
}

TEST(SpecialTokensTest, TokensAreStringsOrObjects) {
  const auto special = ParseSpecialTokens(
      R"({"add_bos_token": true, "tokenizer_class": "GPT2Tokenizer",
          "bos_token": {"content": "</s>", "lstrip": true, "__type": "x"},
          "pad_token": null, "model_max_length": 1e30,
          "additional_special_tokens": ["<a>"]})",
      R"({"eos_token": "</s>"})");
  ASSERT_THAT(special, IsOk());
  EXPECT_TRUE(special->add_bos_token);
  EXPECT_EQ(special->tokenizer_class, "GPT2Tokenizer");
  EXPECT_TRUE(special->Find("bos")->token.lstrip);
  EXPECT_EQ(special->Find("eos")->token.content, "</s>");
  EXPECT_EQ(special->Find("pad"), nullptr);
  ASSERT_EQ(special->others.size(), 1u);
  EXPECT_EQ(special->others[0].token.content, "<a>");
}

TEST(SpecialTokensTest, TheMapCountsUnlessTheConfigIsNewer) {
  constexpr char kMap[] = R"({"eos_token": "map"})";
  EXPECT_EQ(ParseSpecialTokens(R"({"eos_token": "config"})", kMap)
                ->Find("eos")
                ->token.content,
            "map");
  const auto newer = ParseSpecialTokens(
      R"({"eos_token": "config",
          "added_tokens_decoder": {"7": {"content": "x", "special": false}}})",
      kMap);
  ASSERT_THAT(newer, IsOk());
  EXPECT_EQ(newer->Find("eos")->token.content, "config");
  EXPECT_TRUE(newer->others[0].has_id);
  EXPECT_EQ(newer->others[0].token.id, 7);
  EXPECT_FALSE(newer->others[0].token.special);
}

TEST(SpecialTokensTest, ErrorsNameFileAndField) {
  EXPECT_THAT(ParseSpecialTokens("[", ""),
              StatusIs(kInvalid, "tokenizer_config.json: not valid JSON"));
  EXPECT_THAT(
      ParseSpecialTokens("", "[]"),
      StatusIs(kInvalid, "special_tokens_map.json: expected an object"));
  EXPECT_THAT(ParseSpecialTokens(R"({"bos_token": 3})", ""),
              StatusIs(kInvalid, "tokenizer_config.json: bos_token: expected"));
  EXPECT_THAT(ParseSpecialTokens(R"({"bos_token": ""})", ""),
              StatusIs(kInvalid, "tokenizer_config.json: bos_token: is empty"));
  EXPECT_THAT(ParseSpecialTokens(R"({"add_bos_token": "yes"})", ""),
              StatusIs(kInvalid, "add_bos_token: expected true or false"));
  EXPECT_THAT(ParseSpecialTokens(R"({"added_tokens_decoder": {"x": "y"}})", ""),
              StatusIs(kInvalid, "added_tokens_decoder.x: expected an id"));
}

}  // namespace
}  // namespace hybridserve
