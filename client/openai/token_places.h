#ifndef HYBRIDSERVE_CLIENT_OPENAI_TOKEN_PLACES_H_
#define HYBRIDSERVE_CLIENT_OPENAI_TOKEN_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace hybridserve::openai {

// Finds where in a growing text its tokens begin, in characters of UTF-8. What
// a token says alone is not always in the text: one that is a part of a
// character says U+FFFD, special ones are left out, and text may be held back.
// Such a token begins where the one before it ended, and the next one is looked
// for further on. Places never go back or past the text. Thread-compatible.
class TokenPlaces {
 public:
  // Text that is none of the tokens', before all of theirs.
  void AddPrefix(absl::string_view text);

  // Text of tokens to come, and what was held back of those that came.
  void AddText(absl::string_view text);

  // Where the next token begins, which says `token_text` when alone.
  int64_t Place(absl::string_view token_text);

 private:
  void Skip(size_t bytes);

  std::string text_;
  size_t begin_ = 0;        // Of the text that has no token yet.
  int64_t characters_ = 0;  // Before it.
  bool searching_ = false;  // A token was not in the text.
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_TOKEN_PLACES_H_
