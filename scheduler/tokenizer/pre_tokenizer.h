#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_PRE_TOKENIZER_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_PRE_TOKENIZER_H_

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "scheduler/tokenizer/regex.h"

namespace hybridserve {

// What becomes of the matches when a text is split.
enum class SplitBehavior {
  kRemoved,             // "a-b" -> "a", "b".
  kIsolated,            // "a-b" -> "a", "-", "b".
  kMergedWithPrevious,  // "a-b" -> "a-", "b".
  kMergedWithNext,      // "a-b" -> "a", "-b".
  kContiguous,          // "a--b" -> "a", "--", "b".
};

// Cuts a text into the pieces that byte-pair encoding sees one by one.
//
// Thread-safe: immutable.
class PreTokenizer {
 public:
  // Applied to every piece of the step before.
  struct Step {
    std::string space;           // What each " " becomes; empty: what it is.
    std::string prefix;          // Before a piece that does not begin with it.
    bool prefix_first = false;   // Only before the piece that begins the text.
    std::optional<Regex> regex;  // None: the piece stays whole.
    SplitBehavior behavior = SplitBehavior::kIsolated;
    bool invert = false;  // What is between the matches counts as the match.
  };

  // Pieces, none of them empty.
  class Pieces {
   public:
    const std::vector<absl::string_view>& views() const { return views_; }

   private:
    friend class PreTokenizer;
    std::vector<absl::string_view> views_;  // Into the text or owned_.
    std::deque<std::string> owned_;         // Stays put as it grows.
  };

  // GPT-2's expression: contractions, then runs of letters, of digits and of
  // other characters, each with at most one space before it, then spaces.
  static Regex Gpt2Regex();

  explicit PreTokenizer(std::vector<Step> steps) : steps_(std::move(steps)) {}

  // Replaces `pieces` by those of `text`, valid UTF-8 that must outlive them.
  // `begins`: nothing stands before it in the text that it is from.
  // ResourceExhausted if an expression takes too much work.
  absl::Status Split(absl::string_view text, bool begins, Pieces& pieces) const;

 private:
  // The piece with the step's spaces and prefix. `begins`: see Split().
  static absl::string_view Rewrite(const Step& step, absl::string_view piece,
                                   bool begins, Pieces& pieces);

  std::vector<Step> steps_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_PRE_TOKENIZER_H_
