#include "scheduler/tokenizer/tokenizer_json.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr char kMinimal[] = R"({
  "pre_tokenizer": {"type": "ByteLevel"},
  "decoder": {"type": "ByteLevel"},
  "added_tokens": [{"id": 3, "content": "<s>", "special": true}],
  "model": {"type": "BPE", "dropout": null, "byte_fallback": false,
            "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}
})";

TEST(TokenizerJsonTest, MissingPartsAreAbsent) {
  const auto spec = ParseTokenizerJson(kMinimal);
  ASSERT_THAT(spec, IsOk());
  EXPECT_EQ(spec->bpe.TokenToId("ab"), 2);
  ASSERT_EQ(spec->added_tokens.size(), 1u);
  EXPECT_TRUE(spec->added_tokens[0].special);
  EXPECT_FALSE(spec->added_tokens[0].normalized);
}

TEST(TokenizerJsonTest, MergesMayBeStringsOrPairs) {
  const std::string text =
      absl::StrReplaceAll(kMinimal, {{R"(["a", "b"])", R"("a b")"}});
  EXPECT_THAT(ParseTokenizerJson(text), IsOk());
}

TEST(TokenizerJsonTest, RefusesWhatItDoesNotDo) {
  const struct {
    const char* from;
    const char* to;
    const char* message;
  } cases[] = {
      {R"("type": "BPE")", R"("type": "Unigram")",
       "tokenizer.json: model: type \"Unigram\" is not supported"},
      {R"("dropout": null)", R"("dropout": 0.1)",
       "tokenizer.json: model.dropout: is for training"},
      {R"("byte_fallback": false)", R"("byte_fallback": true)",
       "tokenizer.json: model: byte_fallback is not supported"},
      {R"("dropout": null)", R"("end_of_word_suffix": "</w>")",
       "tokenizer.json: model: end_of_word_suffix is not supported"},
      {R"("dropout": null)", R"("speed": 3)",
       "tokenizer.json: model.speed: unknown field"},
      {R"(["a", "b"])", R"("a b c")",
       "tokenizer.json: model.merges[0]: expected two tokens"},
      {R"(["a", "b"])", R"(["a"])",
       "tokenizer.json: model.merges[0]: expected two tokens"},
      {R"(["a", "b"])", "7",
       "tokenizer.json: model.merges[0]: expected an array, got number"},
      {R"("ab": 2)", R"("ab": "2")",
       "tokenizer.json: model.vocab.ab: expected an integer, got string"},
      {R"("ab": 2)", R"("ab": 9223372036854775808)",
       "tokenizer.json: model.vocab.ab: outside"},
      {R"("decoder": {"type": "ByteLevel"})", R"("decoder": null)",
       "tokenizer.json: decoder: only ByteLevel is supported"},
      {R"("decoder": {"type": "ByteLevel"})",
       R"("decoder": {"type": "WordPiece"})",
       "tokenizer.json: decoder: type \"WordPiece\" is not supported"},
      {R"("id": 3)", R"("id": -3)", "tokenizer.json: added_tokens[0].id"},
      {R"("special": true)", R"("special": "yes")",
       "tokenizer.json: added_tokens[0].special: expected true or false"},
      {R"("added_tokens")", R"("extra_tokens")",
       "tokenizer.json: extra_tokens: unknown field"},
      {R"("model")", R"("padding")", "tokenizer.json: \"model\" is missing"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.to);
    const std::string text =
        absl::StrReplaceAll(kMinimal, {{test.from, test.to}});
    ASSERT_NE(text, kMinimal);
    EXPECT_THAT(ParseTokenizerJson(text),
                StatusIs(absl::StatusCode::kInvalidArgument, test.message));
  }
}

TEST(TokenizerJsonTest, RefusesOtherJson) {
  for (const char* text : {"[]", "null", "3", "\"x\""}) {
    EXPECT_THAT(ParseTokenizerJson(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         "tokenizer.json: expected an object"));
  }
}

}  // namespace
}  // namespace hybridserve
