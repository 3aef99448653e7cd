#include "scheduler/tokenizer/tokenizer.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/tokenizer/testing/tiny_tokenizer.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

std::unique_ptr<Tokenizer> TinyTokenizer() {
  auto tokenizer = Tokenizer::Create(TinyTokenizerFiles());
  EXPECT_THAT(tokenizer, IsOk());
  return *std::move(tokenizer);
}

TEST(TokenizerTest, EncodesWithAndWithoutSpecialTokens) {
  const auto tokenizer = TinyTokenizer();
  EXPECT_THAT(tokenizer->Encode("the th!", false),
              IsOkAndHolds(ElementsAre(kTinyThe, ' ', kTinyTh, '!')));
  EXPECT_THAT(tokenizer->Encode("the", true),
              IsOkAndHolds(ElementsAre(kTinyBos, kTinyThe)));
  EXPECT_THAT(tokenizer->Encode("", true), IsOkAndHolds(ElementsAre(kTinyBos)));
  EXPECT_THAT(tokenizer->Encode("", false), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(tokenizer->Encode("t<tag>he</s>", false),
              IsOkAndHolds(ElementsAre('t', kTinyTag, 'h', 'e', kTinyEos)));
  EXPECT_THAT(tokenizer->Encode(absl::string_view("\0", 1), false),
              IsOkAndHolds(ElementsAre(0)));
}

TEST(TokenizerTest, RefusesTextThatIsNotUtf8) {
  const auto tokenizer = TinyTokenizer();
  EXPECT_THAT(tokenizer->Encode("caf\xC3\xA9 \xE9", false),
              StatusIs(kInvalid, "not valid UTF-8 at byte 6"));
  EXPECT_THAT(
      tokenizer->Encode(std::string(Tokenizer::kMaxTextBytes + 1, 'a'), false),
      StatusIs(kInvalid, "67108865 bytes"));
}

TEST(TokenizerTest, DecodesBytesAndSpecialTokens) {
  const auto tokenizer = TinyTokenizer();
  const std::vector<int32_t> ids = {kTinyBos, kTinyThe, 0xC3,   0xA9, 0xF0,
                                    kTinyTag, kTinyEos, 99'999, -1};
  EXPECT_EQ(tokenizer->Decode(ids, true), "the\u00E9\uFFFD<tag>");
  EXPECT_EQ(tokenizer->Decode(ids, false), "<s>the\u00E9\uFFFD<tag></s>");
  EXPECT_EQ(tokenizer->Decode({}, false), "");
}

TEST(TokenizerTest, KnowsItsTokens) {
  const auto tokenizer = TinyTokenizer();
  EXPECT_EQ(tokenizer->vocab_size(), kTinyVocabSize);
  size_t longest = 0;
  for (int32_t id = 0; id < kTinyVocabSize; ++id) {
    longest = std::max(longest, tokenizer->TokenBytes(id).size());
  }
  EXPECT_EQ(tokenizer->longest_token_bytes(), longest);
  EXPECT_EQ(tokenizer->TokenToId("<tag>"), kTinyTag);
  EXPECT_EQ(tokenizer->TokenToId("\xC4\xA0"), ' ');
  EXPECT_EQ(tokenizer->TokenToId("nothing"), std::nullopt);
  EXPECT_EQ(tokenizer->IdToToken(' '), "\xC4\xA0");
  EXPECT_EQ(tokenizer->IdToToken(99'999), std::nullopt);
  EXPECT_EQ(tokenizer->TokenBytes(' '), " ");
  EXPECT_TRUE(tokenizer->IsSpecial(kTinyEos));
  EXPECT_FALSE(tokenizer->IsSpecial(kTinyTag));
  EXPECT_FALSE(tokenizer->IsSpecial(99'999));
  EXPECT_EQ(tokenizer->bos_id(), kTinyBos);
  EXPECT_EQ(tokenizer->eos_id(), kTinyEos);
  EXPECT_EQ(tokenizer->pad_id(), std::nullopt);
}

TEST(TokenizerTest, EveryByteRoundTrips) {
  const auto tokenizer = TinyTokenizer();
  std::string text;
  for (char32_t c = 0; c < 0x800; ++c) {
    text += c < 0x80 ? std::string(1, static_cast<char>(c))
                     : std::string{static_cast<char>(0xC0 | (c >> 6)),
                                   static_cast<char>(0x80 | (c & 0x3F))};
  }
  const auto ids = tokenizer->Encode(text, false);
  ASSERT_THAT(ids, IsOk());
  EXPECT_EQ(tokenizer->Decode(*ids, false), text);
}

TEST(TokenizerTest, RefusesFilesThatAreMissingOrContradictory) {
  EXPECT_THAT(Tokenizer::Create({}),
              StatusIs(kInvalid, "vocab.json is missing"));
  EXPECT_THAT(Tokenizer::Create({.vocab_json = "{}"}),
              StatusIs(kInvalid, "merges.txt is missing"));

  const struct {
    const char* from;
    const char* to;
    const char* message;
  } cases[] = {
      {"\"</s>\",\"id\":259", "\"</s>\",\"id\":258", "belongs to another"},
      {"\"</s>\",\"id\":259", "\"</s>\",\"id\":65", "belongs to another token"},
      {"\"</s>\",\"id\":259", "\"<s>\",\"id\":259", "given twice"},
      {"\"</s>\",\"id\":259", "\"th\",\"id\":259", "has it with id 256"},
      {"\"ids\":[258]", "\"ids\":[400]", "there is no token with id 400"},
      {"\"th e\"", "\"th x\"", "tokenizer.json: model.merges[1]: \"thx\""},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.to);
    TokenizerFiles files = TinyTokenizerFiles();
    ASSERT_GT(
        absl::StrReplaceAll({{test.from, test.to}}, &files.tokenizer_json), 0);
    EXPECT_THAT(Tokenizer::Create(files), StatusIs(kInvalid, test.message));
  }
}

// Cut or changed anywhere, the files give an error or a tokenizer.
TEST(TokenizerTest, DamagedFilesDoNotCrash) {
  const TokenizerFiles good = TinyTokenizerFiles();
  int num_refused = 0;
  for (size_t i = 0; i < good.tokenizer_json.size(); i += 7) {
    TokenizerFiles files = good;
    files.tokenizer_json.resize(i);
    EXPECT_FALSE(Tokenizer::Create(files).ok()) << i;
    files = good;
    files.tokenizer_json[i] = static_cast<char>(files.tokenizer_json[i] ^ 0x15);
    const auto tokenizer = Tokenizer::Create(files);
    num_refused += !tokenizer.ok();
    if (tokenizer.ok()) {
      EXPECT_THAT((*tokenizer)->Encode("the <s>", true), IsOk());
    }
  }
  EXPECT_GT(num_refused, 100);
}

}  // namespace
}  // namespace hybridserve
