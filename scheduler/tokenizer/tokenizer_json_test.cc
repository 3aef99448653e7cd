#include "scheduler/tokenizer/tokenizer_json.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
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

// As Llama 2's, but for the vocabulary.
constexpr char kCharacters[] = R"({
  "normalizer": {"type": "Sequence", "normalizers": [
      {"type": "Prepend", "prepend": "\u2581"},
      {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
  "pre_tokenizer": null,
  "decoder": {"type": "Sequence", "decoders": [
      {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
      {"type": "ByteFallback"}, {"type": "Fuse"},
      {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
  "model": {"type": "BPE", "byte_fallback": true, "vocab": {BYTES "a": 256},
            "merges": []}
})";

std::string WithBytes(const std::string& text) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    absl::StrAppend(&bytes, "\"", ByteToken(byte), "\": ", byte, ", ");
  }
  return absl::StrReplaceAll(text, {{"BYTES", bytes}});
}

TEST(TokenizerJsonTest, CharactersFallBackToBytes) {
  const auto spec = ParseTokenizerJson(WithBytes(kCharacters));
  ASSERT_THAT(spec, IsOk());
  EXPECT_EQ(spec->alphabet, BpeAlphabet::kCharacters);
  EXPECT_TRUE(spec->strips_first_space);
  BpeModel::Workspace workspace;
  std::vector<int32_t> ids;
  spec->bpe.Encode("a\u00e9a", workspace, ids);
  EXPECT_THAT(ids, testing::ElementsAre(256, 0xc3, 0xa9, 256));
}

TEST(TokenizerJsonTest, RefusesOtherTokenizersOfCharacters) {
  const struct {
    const char* from;
    const char* to;
    const char* message;
  } cases[] = {
      {"BYTES ", "", "model.byte_fallback: <0x00> is not in the vocabulary"},
      {R"("pre_tokenizer": null)", R"("pre_tokenizer": {"type": "ByteLevel"})",
       "pre_tokenizer: ByteLevel beside byte_fallback is not supported"},
      {R"("decoder")", R"("decoder": null, "post_processor")",
       "decoder: only a Sequence is supported"},
      {R"({"type": "Fuse"},)", "", "type \"Strip\" is not supported"},
      {R"("content": " "},)", R"("content": "_"},)", "by a space is supported"},
      {R"("start": 1)", R"("start": 2)", "start: outside"},
      {R"("stop": 0)", R"("stop": 1)", "stop: outside"},
      {R"("content": " ", "start")", R"("content": "x", "start")",
       "only spaces are supported"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.to);
    const std::string text =
        absl::StrReplaceAll(kCharacters, {{test.from, test.to}});
    ASSERT_NE(text, kCharacters);
    EXPECT_THAT(ParseTokenizerJson(WithBytes(text)),
                StatusIs(absl::StatusCode::kInvalidArgument, test.message));
  }
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
       "tokenizer.json: decoder: type \"ByteLevel\" is not supported"},
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
