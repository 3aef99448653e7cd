#include "scheduler/tokenizer/streaming_decoder.h"

#include <memory>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/tokenizer/testing/tiny_tokenizer.h"

namespace hybridserve {
namespace {

// That any ids give what Decode() gives: tokenizer_golden_test.
class StreamingDecoderTest : public testing::Test {
 protected:
  std::unique_ptr<Tokenizer> tokenizer_ =
      Tokenizer::Create(TinyTokenizerFiles()).value();
};

TEST_F(StreamingDecoderTest, HoldsBackAnIncompleteCharacter) {
  StreamingDecoder decoder(*tokenizer_, true);
  EXPECT_EQ(decoder.Push(kTinyThe), "the");
  EXPECT_EQ(decoder.Push(0xF0), "");
  EXPECT_EQ(decoder.Push(0x9F), "");
  EXPECT_EQ(decoder.Push(0x98), "");
  EXPECT_EQ(decoder.Push(0x80), "\U0001F600");
  EXPECT_EQ(decoder.Flush(), "");
}

TEST_F(StreamingDecoderTest, ReplacesWhatCannotBecomeACharacter) {
  StreamingDecoder decoder(*tokenizer_, true);
  EXPECT_EQ(decoder.Push(0xF0), "");
  EXPECT_EQ(decoder.Push('a'), "\uFFFDa");
  EXPECT_EQ(decoder.Push(0xFF), "\uFFFD");
  EXPECT_EQ(decoder.Push(0xC3), "");
  EXPECT_EQ(decoder.Flush(), "\uFFFD");
  EXPECT_EQ(decoder.Push('b'), "b");
}

TEST_F(StreamingDecoderTest, SpecialTokensDoNotTearACharacter) {
  StreamingDecoder skipping(*tokenizer_, true);
  EXPECT_EQ(skipping.Push(0xC3), "");
  EXPECT_EQ(skipping.Push(kTinyEos), "");
  EXPECT_EQ(skipping.Push(0xA9), "\u00E9");
  StreamingDecoder showing(*tokenizer_, false);
  EXPECT_EQ(showing.Push(kTinyEos), "</s>");
}

}  // namespace
}  // namespace hybridserve
