// Against PyPI's `tokenizers` and transformers' slow GPT2Tokenizer: the files
// in testdata/, made by make_goldens.py there.

#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "scheduler/tokenizer/byte_level.h"
#include "scheduler/tokenizer/json_view.h"
#include "scheduler/tokenizer/pre_tokenizer_json.h"
#include "scheduler/tokenizer/streaming_decoder.h"
#include "scheduler/tokenizer/tokenizer.h"
#include "scheduler/tokenizer/utf8.h"

namespace hybridserve {
namespace {

using Json = nlohmann::json;

constexpr size_t kNumLines = 2000;

// The file's text; empty if there is none.
std::string ReadTestFile(const std::string& name) {
  std::ifstream file("scheduler/tokenizer/testdata/" + name, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Json ReadTestJson(const std::string& name) {
  Json json = Json::parse(ReadTestFile(name), nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << name;
  return json;
}

class TokenizerGoldenTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string folder = absl::StrCat(GetParam(), "/");
    const TokenizerFiles files = {
        .tokenizer_json = ReadTestFile(folder + "tokenizer.json"),
        .vocab_json = ReadTestFile(folder + "vocab.json"),
        .merges_txt = ReadTestFile(folder + "merges.txt"),
        .tokenizer_config_json = ReadTestFile(folder + "tokenizer_config.json"),
        .special_tokens_map_json =
            ReadTestFile(folder + "special_tokens_map.json"),
    };
    auto tokenizer = Tokenizer::Create(files);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    tokenizer_ = *std::move(tokenizer);
    goldens_ = ReadTestJson(folder + "goldens.json");
    lines_ = ReadTestJson("lines.json").get<std::vector<std::string>>();
    ASSERT_EQ(lines_.size(), kNumLines);
    ASSERT_EQ(goldens_["ids"].size(), kNumLines);
  }

  std::unique_ptr<Tokenizer> tokenizer_;
  Json goldens_;
  std::vector<std::string> lines_;
};

TEST_P(TokenizerGoldenTest, EncodesEveryLineAlike) {
  for (size_t i = 0; i < kNumLines; ++i) {
    SCOPED_TRACE(absl::StrCat("line ", i, ": ", Json(lines_[i]).dump()));
    const auto ids = tokenizer_->Encode(lines_[i], /*add_special_tokens=*/true);
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_EQ(*ids, goldens_["ids"][i].get<std::vector<int32_t>>());
  }
}

TEST_P(TokenizerGoldenTest, DecodesEveryLineAlike) {
  const Json& changed = goldens_["decoded"];
  for (size_t i = 0; i < kNumLines; ++i) {
    SCOPED_TRACE(absl::StrCat("line ", i, ": ", Json(lines_[i]).dump()));
    const auto it = changed.find(absl::StrCat(i));
    const std::string expected =
        it == changed.end() ? lines_[i] : it->get<std::string>();
    const auto ids = goldens_["ids"][i].get<std::vector<int32_t>>();
    EXPECT_EQ(tokenizer_->Decode(ids, /*skip_special_tokens=*/true), expected);
  }
}

TEST_P(TokenizerGoldenTest, DecodesScrambledIdsAlike) {
  ASSERT_GT(goldens_["scrambled"].size(), 100u);
  for (const Json& scrambled : goldens_["scrambled"]) {
    SCOPED_TRACE(scrambled.dump());
    const auto ids = scrambled[0].get<std::vector<int32_t>>();
    EXPECT_EQ(tokenizer_->Decode(ids, false), scrambled[1].get<std::string>());
    EXPECT_EQ(tokenizer_->Decode(ids, true), scrambled[2].get<std::string>());
  }
}

TEST_P(TokenizerGoldenTest, StreamsWhatItDecodes) {
  std::mt19937 rng(20240917);
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE(round);
    const bool skip = round % 2 == 0;
    StreamingDecoder decoder(*tokenizer_, skip);
    std::vector<int32_t> ids;
    std::string streamed;
    for (int i = 0; i < 40; ++i) {
      // Half of them single bytes, so that characters are torn; some unknown.
      const auto limit = rng() % 2 == 0 ? 260 : tokenizer_->vocab_size() + 3;
      ids.push_back(static_cast<int32_t>(rng() % limit));
      const std::string delta = decoder.Push(ids.back());
      ASSERT_EQ(FindInvalidUtf8(delta), std::nullopt);
      streamed += delta;
    }
    streamed += decoder.Flush();
    // A whole text of characters has no first space; what follows a prompt may.
    const std::string whole = tokenizer_->Decode(ids, skip);
    const std::string name = GetParam();
    const bool of_characters = name == "characters" || name == "metaspace";
    ASSERT_TRUE(streamed == whole || (of_characters && streamed == " " + whole))
        << Json(streamed).dump() << " " << Json(whole).dump();
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, TokenizerGoldenTest,
                         testing::Values("gpt2", "added", "llama3", "nfc",
                                         "opt", "characters", "metaspace"),
                         [](const auto& info) {
                           return std::string(info.param);
                         });

TEST(PreTokenizerGoldenTest, SplitsAlike) {
  const Json goldens = ReadTestJson("splits.json");
  const auto texts = goldens["texts"].get<std::vector<std::string>>();
  ASSERT_GT(goldens["cases"].size(), 100u);
  for (const Json& golden : goldens["cases"]) {
    const std::string config = golden["pre_tokenizer"].dump();
    SCOPED_TRACE(config);
    const auto document = JsonDocument::Parse("test.json", config);
    ASSERT_TRUE(document.ok()) << document.status();
    const auto pre_tokenizer = ParsePreTokenizer(document->root());
    ASSERT_TRUE(pre_tokenizer.ok()) << pre_tokenizer.status();
    for (size_t i = 0; i < texts.size(); ++i) {
      SCOPED_TRACE(Json(texts[i]).dump());
      PreTokenizer::Pieces pieces;
      ASSERT_TRUE(pre_tokenizer->Split(texts[i], /*begins=*/true, pieces).ok());
      std::vector<std::string> tokens;
      for (const absl::string_view piece : pieces.views()) {
        tokens.push_back(ByteLevelEncode(piece));
      }
      EXPECT_EQ(tokens, golden["pieces"][i].get<std::vector<std::string>>());
    }
  }
}

}  // namespace
}  // namespace hybridserve
