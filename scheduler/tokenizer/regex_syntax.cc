#include "scheduler/tokenizer/regex_syntax.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"

// One pass over the pattern that copies what both engines read alike. Two
// things are reworded: \s, because PCRE2 counts U+180E and Unicode (so
// Oniguruma) no longer does; and scripts, because PCRE2's \p{Han} means the
// script extensions and Oniguruma's the script.

namespace hybridserve {
namespace {

constexpr std::array<absl::string_view, 38> kCategories = {
    "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me",
    "N",  "Nd", "Nl", "No", "P",  "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf", "Po", "S",  "Sm", "Sc", "Sk", "So", "Z",  "Zs", "Zl",
    "Zp", "C",  "Cc", "Cf", "Co", "Cn", "Cs", "Any"};

// What may follow "(?".
constexpr std::array<absl::string_view, 8> kGroups = {
    "<=", "<!", "i:", "-i:", ":", "=", "!", ">"};

class Rewriter {
 public:
  explicit Rewriter(absl::string_view pattern) : pattern_(pattern) {}

  absl::StatusOr<std::string> Run() {
    while (at_ < pattern_.size()) RETURN_IF_ERROR(Step());
    if (in_set_) return Refuse("a set without its ]");
    if (ignores_case_ && has_long_fold_) {
      return Refuse("ignoring the case of what folds to several characters");
    }
    return std::move(out_);
  }

 private:
  absl::string_view Rest() const { return pattern_.substr(at_); }

  absl::Status Refuse(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(
        "regular expression: ", what, " at byte ", at_, " is not supported"));
  }

  void Copy(size_t size) {
    out_.append(pattern_.data() + at_, size);
    at_ += size;
  }

  absl::Status Step() {
    const char c = pattern_[at_];
    after_interval_ = std::exchange(interval_ended_, false);
    NoteFold();
    if (c == '\\') return Escape();
    if (in_set_) return StepInSet(c);
    switch (c) {
      case '[':
        return OpenSet();
      case '(':
        return OpenGroup();
      case '{':
        return Interval();
      case '+':
        if (after_interval_) return Refuse("+ after an interval");
        break;
      default:
        break;
    }
    Copy(1);
    return absl::OkStatus();
  }

  // Oniguruma lets (?i:ss) match the sharp s and PCRE2 doesn't; likewise for
  // ligatures. Cautious: wherever in the pattern they stand.
  void NoteFold() {
    const std::string pair = absl::AsciiStrToLower(pattern_.substr(at_, 2));
    for (const absl::string_view fold : {"ss", "st", "ff", "fi", "fl"}) {
      has_long_fold_ |= pair == fold;
    }
    has_long_fold_ |= !absl::ascii_isascii(pattern_[at_]);
  }

  absl::Status StepInSet(char c) {
    if (c == '[') return Refuse("[ inside a set");
    if (absl::StartsWith(Rest(), "&&")) return Refuse("&& inside a set");
    if (c == ']') in_set_ = false;
    Copy(1);
    return absl::OkStatus();
  }

  absl::Status OpenSet() {
    Copy(1);
    if (absl::StartsWith(Rest(), "^")) Copy(1);
    if (absl::StartsWith(Rest(), "]")) return Refuse("an empty set");
    in_set_ = true;
    return absl::OkStatus();
  }

  absl::Status OpenGroup() {
    if (absl::StartsWith(Rest(), "(*")) return Refuse("(*");
    if (!absl::StartsWith(Rest(), "(?")) {
      Copy(1);
      return absl::OkStatus();
    }
    const absl::string_view kind = Rest().substr(2);
    for (const absl::string_view group : kGroups) {
      if (absl::StartsWith(kind, group)) {
        ignores_case_ |= group == "i:";
        Copy(2 + group.size());
        return absl::OkStatus();
      }
    }
    // Further in, the two disagree on how far it reaches.
    if (at_ == 0 && absl::StartsWith(kind, "i)")) {
      ignores_case_ = true;
      Copy(4);
      return absl::OkStatus();
    }
    return Refuse("this kind of group");
  }

  // {2}, {2,}, {,2} or {2,4}; any other brace must be escaped.
  absl::Status Interval() {
    size_t end = at_ + 1;
    bool digits = false;
    while (end < pattern_.size() &&
           (absl::ascii_isdigit(pattern_[end]) || pattern_[end] == ',')) {
      digits |= pattern_[end] != ',';
      ++end;
    }
    const bool from_nothing = absl::StartsWith(Rest(), "{,");
    if (!digits || from_nothing || end == pattern_.size() ||
        pattern_[end] != '}') {
      return Refuse("{");
    }
    Copy(end + 1 - at_);
    interval_ended_ = true;
    return absl::OkStatus();
  }

  absl::Status Escape() {
    if (at_ + 1 == pattern_.size()) return Refuse("\\ at the end");
    const char c = pattern_[at_ + 1];
    if (c == 'p' || c == 'P') return Property();
    if (c == 'x') return HexCode();
    if (c == 's' || c == 'S') {
      out_.append(c == 's' ? "\\p{White_Space}" : "\\P{White_Space}");
      at_ += 2;
      return absl::OkStatus();
    }
    const bool same = absl::ascii_ispunct(c) ||
                      absl::StrContains("dDnrtf", absl::string_view(&c, 1));
    if (!same) return Refuse("this escape");
    Copy(2);
    return absl::OkStatus();
  }

  // \p{L}, \P{Han}, \p{^N}.
  absl::Status Property() {
    const size_t close = pattern_.find('}', at_);
    if (!absl::StartsWith(Rest().substr(2), "{") ||
        close == absl::string_view::npos) {
      return Refuse("\\p without {}");
    }
    absl::string_view name = pattern_.substr(at_ + 3, close - at_ - 3);
    bool negative = pattern_[at_ + 1] == 'P';
    if (absl::ConsumePrefix(&name, "^")) negative = !negative;
    const bool is_word =
        !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
          return absl::ascii_isalpha(c) || c == '_';
        });
    if (!is_word) return Refuse("this property");
    const bool is_category = std::find(kCategories.begin(), kCategories.end(),
                                       name) != kCategories.end();
    // A name that is no script either fails to compile.
    absl::StrAppend(&out_, negative ? "\\P{" : "\\p{",
                    is_category ? "" : "sc:", name, "}");
    at_ = close + 1;
    return absl::OkStatus();
  }

  // \x41 or \x{1F600}.
  absl::Status HexCode() {
    const absl::string_view digits = Rest().substr(2);
    if (absl::StartsWith(digits, "{")) {
      const size_t close = digits.find('}');
      if (close == absl::string_view::npos) return Refuse("\\x without }");
      const absl::string_view code = digits.substr(1, close - 1);
      if (code.empty() || code.size() > 6 ||
          !std::all_of(code.begin(), code.end(), absl::ascii_isxdigit)) {
        return Refuse("this \\x{}");
      }
      Copy(2 + close + 1);
      return absl::OkStatus();
    }
    // Beyond ASCII Oniguruma means a byte and PCRE2 a code point.
    if (digits.size() < 2 || digits[0] < '0' || digits[0] > '7' ||
        !absl::ascii_isxdigit(digits[1])) {
      return Refuse("this \\x");
    }
    Copy(4);
    return absl::OkStatus();
  }

  absl::string_view pattern_;
  size_t at_ = 0;
  bool in_set_ = false;
  bool interval_ended_ = false;  // The step before this one was {...}.
  bool after_interval_ = false;
  bool ignores_case_ = false;
  bool has_long_fold_ = false;
  std::string out_;
};

}  // namespace

absl::StatusOr<std::string> OnigurumaToPcre2(absl::string_view pattern) {
  return Rewriter(pattern).Run();
}

std::string EscapeForPcre2(absl::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (absl::ascii_ispunct(c)) pattern.push_back('\\');
    if (c == '\0') {
      pattern.append("\\x00");
    } else {
      pattern.push_back(c);
    }
  }
  return pattern;
}

}  // namespace hybridserve
