#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_NORMALIZER_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_NORMALIZER_H_

#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/tokenizer/regex.h"

namespace hybridserve {

// Rewrites a text before it is cut into pieces: a list of steps, often empty.
//
// Thread-safe: immutable.
class Normalizer {
 public:
  enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };
  struct Lowercase {};     // Each code point alone: no final sigma.
  struct StripAccents {};  // Drops nonspacing marks (Mn).
  struct Strip {           // Drops white space at the ends.
    bool left;
    bool right;
  };
  struct Prepend {  // Before every text that is not empty.
    std::string prefix;
  };
  struct Replace {  // Each match by `content` as it stands.
    Regex regex;
    std::string content;
  };
  using Step = std::variant<UnicodeForm, Lowercase, StripAccents, Strip,
                            Prepend, Replace>;

  explicit Normalizer(std::vector<Step> steps) : steps_(std::move(steps)) {}

  // `text` must be valid UTF-8, and so is the result. ResourceExhausted if an
  // expression takes too much work or the text grows beyond `kMaxBytes`.
  absl::StatusOr<std::string> Normalize(absl::string_view text) const;

  static constexpr int64_t kMaxBytes = int64_t{128} << 20;

 private:
  std::vector<Step> steps_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_NORMALIZER_H_
