#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_REGEX_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_REGEX_H_

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct pcre2_real_code_8;  // PCRE2's pcre2_code, so users need no pcre2.h.

namespace hybridserve {

// A compiled regular expression of a tokenizer.
//
// Work and memory of a match are bounded, so that a hostile expression gives
// an error and not a hang. Thread-safe: immutable.
class Regex {
 public:
  static constexpr int64_t kMaxPatternBytes = 16384;

  // From Oniguruma's syntax (regex_syntax.h). InvalidArgument, with the byte,
  // if it is malformed, too large or uses what is not supported.
  static absl::StatusOr<Regex> Create(absl::string_view pattern);

  // Matches exactly `text`, which must not be empty.
  static absl::StatusOr<Regex> Literal(absl::string_view text);

  // Calls `visit` with the [begin, end) of every match from left to right, as
  // Rust's onig iterates: empty matches too, unless just behind a match.
  // `text` must be valid UTF-8. ResourceExhausted if a match takes too much
  // work; matches before it have been visited.
  absl::Status ForEachMatch(
      absl::string_view text,
      absl::FunctionRef<void(int64_t begin, int64_t end)> visit) const;

 private:
  explicit Regex(std::shared_ptr<const pcre2_real_code_8> code);
  static absl::StatusOr<Regex> Compile(absl::string_view pcre2_pattern);

  // Shared by copies of the tokenizer's parts; never changed after Create().
  std::shared_ptr<const pcre2_real_code_8> code_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_REGEX_H_
