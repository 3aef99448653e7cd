#include "scheduler/tokenizer/token_trie.h"

#include "glog/logging.h"

namespace hybridserve {

void TokenTrie::Insert(absl::string_view content, int32_t value) {
  CHECK(!content.empty());
  CHECK_GE(value, 0);
  const auto make_node = [&] {
    values_.push_back(kNone);
    return static_cast<int32_t>(values_.size() - 1);
  };
  int32_t& root = roots_[static_cast<uint8_t>(content[0])];
  if (root == kNone) root = make_node();
  int32_t node = root;
  for (const char byte : content.substr(1)) {
    const auto [it, is_new] = edges_.try_emplace(Edge(node, byte), kNone);
    if (is_new) it->second = make_node();
    node = it->second;
  }
  if (values_[node] == kNone) values_[node] = value;
}

std::optional<TokenTrie::Match> TokenTrie::Find(absl::string_view text,
                                                size_t from) const {
  if (values_.empty()) return std::nullopt;
  for (size_t begin = from; begin < text.size(); ++begin) {
    int32_t node = roots_[static_cast<uint8_t>(text[begin])];
    std::optional<Match> longest;
    for (size_t end = begin + 1; node != kNone; ++end) {
      if (values_[node] != kNone) longest = {begin, end, values_[node]};
      if (end == text.size()) break;
      const auto it = edges_.find(Edge(node, text[end]));
      node = it == edges_.end() ? kNone : it->second;
    }
    if (longest.has_value()) return longest;
  }
  return std::nullopt;
}

}  // namespace hybridserve
