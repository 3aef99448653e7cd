#include "scheduler/tokenizer/token_trie.h"

#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(TokenTrieTest, LeftmostThenLongest) {
  TokenTrie trie;
  trie.Insert("bc", 0);
  trie.Insert("abc", 1);
  trie.Insert("ab", 2);
  trie.Insert("abcde", 3);
  const auto match = trie.Find("xabcdx", 0);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->value, 1);
  EXPECT_EQ(match->begin, 1u);
  EXPECT_EQ(match->end, 4u);
  EXPECT_EQ(trie.Find("xabcdx", 2)->value, 0);
  EXPECT_FALSE(trie.Find("xabcdx", 3).has_value());
}

TEST(TokenTrieTest, EmptyTrieAndEmptyText) {
  EXPECT_FALSE(TokenTrie().Find("abc", 0).has_value());
  TokenTrie trie;
  trie.Insert("a", 7);
  EXPECT_FALSE(trie.Find("", 0).has_value());
}

TEST(TokenTrieTest, TheFirstOfEqualContentsCounts) {
  TokenTrie trie;
  trie.Insert("a", 7);
  trie.Insert("a", 8);
  EXPECT_EQ(trie.Find("a", 0)->value, 7);
}

TEST(TokenTrieTest, AgreesWithTryingEveryStringAtEveryPlace) {
  std::mt19937 rng(20240917);
  const auto random_text = [&](size_t size) {
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>(rng() % 2 == 0 ? 'a' : '\xC3');
    return text;
  };
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE(round);
    TokenTrie trie;
    std::vector<std::string> contents;
    for (int i = 0; i < 6; ++i) {
      contents.push_back(random_text(1 + rng() % 6));
      trie.Insert(contents.back(), i);
    }
    const std::string text = random_text(20);
    const size_t from = rng() % 20;
    std::string expected;
    size_t begin = from;
    for (; begin < text.size() && expected.empty(); ++begin) {
      for (const std::string& content : contents) {
        if (text.compare(begin, content.size(), content) == 0 &&
            content.size() > expected.size()) {
          expected = content;
        }
      }
    }
    const auto match = trie.Find(text, from);
    ASSERT_EQ(match.has_value(), !expected.empty());
    if (!match.has_value()) continue;
    ASSERT_EQ(match->begin, begin - 1);
    ASSERT_EQ(text.substr(match->begin, match->end - match->begin), expected);
    ASSERT_EQ(contents[match->value], expected);
  }
}

}  // namespace
}  // namespace hybridserve
