#include "scheduler/tokenizer/byte_level.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(ByteLevelTest, KnownCharacters) {
  EXPECT_EQ(ByteLevelChar('a'), "a");
  EXPECT_EQ(ByteLevelChar(' '), "\xC4\xA0");   // U+0120.
  EXPECT_EQ(ByteLevelChar('\n'), "\xC4\x8A");  // U+010A.
  EXPECT_EQ(ByteLevelChar(0), "\xC4\x80");     // U+0100.
  EXPECT_EQ(ByteLevelChar(0xAD), "\xC5\x83");  // U+0143, the last.
  EXPECT_EQ(ByteLevelChar(0xFF), "\xC3\xBF");
}

TEST(ByteLevelTest, EveryByteHasItsOwnCharacter) {
  std::set<std::string> seen;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(ByteLevelChar(static_cast<uint8_t>(byte)));
    EXPECT_TRUE(seen.insert(text).second) << byte;
    EXPECT_EQ(ByteLevelDecode(text), std::string(1, static_cast<char>(byte)));
  }
}

TEST(ByteLevelTest, RefusesOtherCharacters) {
  EXPECT_EQ(ByteLevelByte(' '), std::nullopt);
  EXPECT_EQ(ByteLevelByte(0xAD), std::nullopt);
  EXPECT_EQ(ByteLevelByte(0x144), std::nullopt);
  EXPECT_EQ(ByteLevelDecode("a b"), std::nullopt);
  EXPECT_EQ(ByteLevelDecode("a\xFF"), std::nullopt);
  EXPECT_EQ(ByteLevelDecode("\xE2\x96\x81"), std::nullopt);
}

TEST(ByteLevelTest, RoundTripsText) {
  std::string text = "caf\xC3\xA9 \xFF\n";
  text.push_back('\0');
  EXPECT_EQ(ByteLevelDecode(ByteLevelEncode(text)), text);
}

}  // namespace
}  // namespace hybridserve
