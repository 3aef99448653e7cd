#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_ADDED_TOKENS_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_ADDED_TOKENS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/tokenizer/normalizer.h"
#include "scheduler/tokenizer/token_trie.h"

namespace hybridserve {

// A token that is found in the text as it stands, before anything is split.
struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool special = false;      // Control, not text: left out of shown text.
  bool lstrip = false;       // Takes the white space on its left too.
  bool rstrip = false;       // On its right.
  bool single_word = false;  // Only where no word character touches it.
  bool normalized = true;    // Looked for in the normalized text.
};

// Finds added tokens in texts and normalizes what is between them.
//
// Thread-safe: immutable.
class AddedTokens {
 public:
  // A longer one can't be a token: it would make the search slow.
  static constexpr int64_t kMaxContentBytes = 512;

  // A stretch of text: an added token, or normalized text to be encoded.
  struct Segment {
    static constexpr int32_t kText = -1;
    int32_t id;           // kText: `text` counts.
    std::string text;     // Not empty for kText.
    bool begins = false;  // Nothing stands before it in the text given.
  };

  // InvalidArgument if a content is longer than kMaxContentBytes, before or
  // after normalizing.
  static absl::StatusOr<AddedTokens> Create(std::vector<AddedToken> tokens,
                                            Normalizer normalizer);

  // Cuts `text`, valid UTF-8, into segments: first at the tokens to be found
  // in the text as given, then at those of the normalized text between them.
  // At each place the longest token counts. Errors are the normalizer's.
  absl::StatusOr<std::vector<Segment>> Split(absl::string_view text) const;

  const std::vector<AddedToken>& tokens() const { return tokens_; }

 private:
  // A token's place in a text, spaces included; or the text before it.
  struct Range {
    int32_t token;  // Index into tokens_, -1 for text.
    size_t begin;
    size_t end;
  };

  AddedTokens(std::vector<AddedToken> tokens, Normalizer normalizer);
  std::vector<Range> FindRanges(const TokenTrie& trie,
                                absl::string_view text) const;

  std::vector<AddedToken> tokens_;
  Normalizer normalizer_;
  TokenTrie raw_;         // Values are indices into tokens_.
  TokenTrie normalized_;  // The same, of normalized contents.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_ADDED_TOKENS_H_
