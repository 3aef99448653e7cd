#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKEN_TRIE_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKEN_TRIE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// A set of strings, each with a value, to be looked for in texts.
//
// Thread-compatible.
class TokenTrie {
 public:
  struct Match {
    size_t begin;
    size_t end;
    int32_t value;
  };

  TokenTrie() { roots_.fill(kNone); }

  // Adds `content`, not empty; a content that is there keeps its value.
  // `value` must not be negative.
  void Insert(absl::string_view content, int32_t value);

  // The longest of the leftmost matches that begin at or after `from`. Takes
  // time in text size x the longest content, but mostly a look-up a byte.
  std::optional<Match> Find(absl::string_view text, size_t from) const;

 private:
  static constexpr int32_t kNone = -1;
  static uint64_t Edge(int32_t node, char byte) {
    return (uint64_t{static_cast<uint32_t>(node)} << 8) |
           static_cast<uint8_t>(byte);
  }

  std::array<int32_t, 256> roots_;                // First byte -> node.
  absl::flat_hash_map<uint64_t, int32_t> edges_;  // Edge() -> node.
  std::vector<int32_t> values_;                   // By node; kNone: inner.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKEN_TRIE_H_
