#include "scheduler/tokenizer/vocab_merges.h"

#include <string>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr char kVocab[] = R"({"</s>": 0, "a": 1, "b": 2, "ab": 3})";
constexpr char kMerges[] = "#version: 0.2\na b\n";

absl::StatusOr<TokenizerSpec> Parse(absl::string_view config,
                                    absl::string_view vocab = kVocab,
                                    absl::string_view merges = kMerges,
                                    absl::string_view added_tokens = "") {
  const auto special = ParseSpecialTokens(config, "");
  EXPECT_THAT(special, IsOk());
  return ParseVocabAndMerges(vocab, merges, added_tokens, *special);
}

// The whole route, against transformers: tokenizer_golden_test.
TEST(VocabMergesTest, BosComesFirstIfAskedFor) {
  EXPECT_THAT(Parse("")->post_processor.Process({1}), ElementsAre(1));
  const auto opt = Parse(R"({"add_bos_token": true, "bos_token": "</s>"})");
  ASSERT_THAT(opt, IsOk());
  EXPECT_THAT(opt->post_processor.Process({1}), ElementsAre(0, 1));
  ASSERT_EQ(opt->added_tokens.size(), 1u);
  EXPECT_TRUE(opt->added_tokens[0].special);
}

TEST(VocabMergesTest, Gpt2sTokenIsTheDefault) {
  const auto spec = Parse(R"({"add_bos_token": true})",
                          R"({"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3})");
  ASSERT_THAT(spec, IsOk());
  EXPECT_THAT(spec->post_processor.Process({1}), ElementsAre(3, 1));
  EXPECT_THAT(Parse(R"({"add_bos_token": true})"),
              StatusIs(kInvalid, "add_bos_token is true without a bos_token"));
}

TEST(VocabMergesTest, AddedTokensMayHaveIdsOfTheirOwn) {
  const auto spec = Parse(
      R"({"pad_token": "<pad>",
          "added_tokens_decoder": {"4": {"content": "<pad>"}}})",
      kVocab, kMerges, R"({"<x>": 5})");
  ASSERT_THAT(spec, IsOk());
  ASSERT_EQ(spec->added_tokens.size(), 2u);
  EXPECT_EQ(spec->added_tokens[0].id, 4);
  EXPECT_EQ(spec->added_tokens[1].id, 5);
  EXPECT_FALSE(spec->added_tokens[1].special);
}

TEST(VocabMergesTest, MergesMayLackTheVersionAndHaveCarriageReturns) {
  EXPECT_THAT(Parse("", kVocab, "a b"), IsOk());
  EXPECT_THAT(Parse("", kVocab, "#version: 0.2\r\na b\r\n"), IsOk());
}

TEST(VocabMergesTest, ErrorsNameFileAndPlace) {
  EXPECT_THAT(Parse("", "{"), StatusIs(kInvalid, "vocab.json: not valid JSON"));
  EXPECT_THAT(Parse("", R"({"a": 1.5})"),
              StatusIs(kInvalid, "vocab.json: a: expected an integer"));
  EXPECT_THAT(Parse("", kVocab, "a b\nab\n"),
              StatusIs(kInvalid, "merges.txt: line 2: expected two tokens"));
  EXPECT_THAT(Parse("", kVocab, "a  b\n"),
              StatusIs(kInvalid, "merges.txt: line 1"));
  EXPECT_THAT(Parse("", kVocab, "b a\n"),
              StatusIs(kInvalid, "merges.txt.merges[0]: \"ba\""));
  EXPECT_THAT(Parse("", kVocab, "a \xFF\n"),
              StatusIs(kInvalid, "merges.txt: not valid UTF-8 at byte 2"));
  EXPECT_THAT(Parse(R"({"pad_token": "<pad>"})"),
              StatusIs(kInvalid, "pad_token: \"<pad>\" has no id"));
  EXPECT_THAT(Parse(R"({"tokenizer_class": "LlamaTokenizer"})"),
              StatusIs(kInvalid, "tokenizer_class: \"LlamaTokenizer\""));
  EXPECT_THAT(Parse(R"({"add_eos_token": true})"),
              StatusIs(kInvalid, "add_eos_token is not supported"));
  EXPECT_THAT(Parse(R"({"added_tokens_decoder": {"9": {"content": "a"}}})"),
              StatusIs(kInvalid, "added_tokens_decoder.9: its id is 1"));
}

}  // namespace
}  // namespace hybridserve
