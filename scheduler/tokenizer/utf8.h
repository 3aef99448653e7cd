#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_UTF8_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_UTF8_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hybridserve {

// What stands at the start of some bytes that claim to be UTF-8.
struct Utf8Step {
  enum class Kind {
    kChar,        // A well-formed sequence.
    kInvalid,     // A maximal ill-formed subpart (Unicode 15, 3.9, D93b).
    kIncomplete,  // The bytes end inside a sequence that is well-formed so far.
  };
  Kind kind;
  int size;             // Bytes of the sequence or subpart, 1 to 4.
  char32_t code_point;  // Only for kChar.
};

// Reads one step. `bytes` must not be empty.
Utf8Step NextUtf8(absl::string_view bytes);

// Returns the offset of the first byte of the first ill-formed sequence, or
// nothing if `bytes` is valid UTF-8. Surrogates and overlong forms are invalid.
std::optional<int64_t> FindInvalidUtf8(absl::string_view bytes);

// Appends `bytes` to `out`, each maximal ill-formed subpart replaced by one
// U+FFFD, as Rust's String::from_utf8_lossy does. Stops before an incomplete
// sequence at the end; returns how many bytes were taken (all but 0 to 3).
int64_t AppendUtf8Lossy(absl::string_view bytes, std::string& out);

// All of `bytes`; an incomplete sequence at the end becomes one U+FFFD.
std::string Utf8Lossy(absl::string_view bytes);

// Appends one code point, which must be a Unicode scalar value.
void AppendUtf8(char32_t code_point, std::string& out);

// The last code point of `text`, which must be valid UTF-8 and not empty.
Utf8Step LastUtf8(absl::string_view text);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_UTF8_H_
