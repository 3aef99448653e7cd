#include "scheduler/tokenizer/added_tokens.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "scheduler/tokenizer/utf8.h"

// Follows `tokenizers` (tokenizer/added_vocabulary.rs) in its oddities too: a
// match refused by single_word still uses up its text, and the spaces that one
// token strips on its right may be stripped by the next on its left.

namespace hybridserve {
namespace {

bool IsSpace(char32_t c) { return u_isUWhiteSpace(static_cast<UChar32>(c)); }

// Unicode's \w (UTS #18, annex C).
bool IsWord(char32_t code_point) {
  const auto c = static_cast<UChar32>(code_point);
  const uint32_t in_category =
      U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK);
  return in_category != 0 || u_isUAlphabetic(c) ||
         u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL);
}

bool EndsWithWord(absl::string_view text) {
  return !text.empty() && IsWord(LastUtf8(text).code_point);
}

bool StartsWithWord(absl::string_view text) {
  return !text.empty() && IsWord(NextUtf8(text).code_point);
}

size_t SpaceBytesAtEnd(absl::string_view text) {
  size_t size = 0;
  while (!text.empty()) {
    const Utf8Step step = LastUtf8(text);
    if (!IsSpace(step.code_point)) break;
    size += step.size;
    text.remove_suffix(step.size);
  }
  return size;
}

size_t SpaceBytesAtStart(absl::string_view text) {
  size_t size = 0;
  while (size < text.size()) {
    const Utf8Step step = NextUtf8(text.substr(size));
    if (!IsSpace(step.code_point)) break;
    size += step.size;
  }
  return size;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, Normalizer normalizer)
    : tokens_(std::move(tokens)), normalizer_(std::move(normalizer)) {}

absl::StatusOr<AddedTokens> AddedTokens::Create(std::vector<AddedToken> tokens,
                                                Normalizer normalizer) {
  AddedTokens added(std::move(tokens), std::move(normalizer));
  // Of equal contents the first counts: special ones come first.
  for (const bool special : {true, false}) {
    for (size_t i = 0; i < added.tokens_.size(); ++i) {
      const AddedToken& token = added.tokens_[i];
      if (token.special != special) continue;
      std::string content = token.content;
      if (token.normalized) {
        ASSIGN_OR_RETURN(content, added.normalizer_.Normalize(content));
      }
      if (static_cast<int64_t>(content.size()) > kMaxContentBytes) {
        return absl::InvalidArgumentError(absl::StrCat(
            "added token ", token.id, " is longer than ", kMaxContentBytes,
            " bytes: \"", absl::Utf8SafeCEscape(token.content.substr(0, 64)),
            "...\""));
      }
      if (content.empty()) continue;
      TokenTrie& trie = token.normalized ? added.normalized_ : added.raw_;
      trie.Insert(content, static_cast<int32_t>(i));
    }
  }
  return added;
}

std::vector<AddedTokens::Range> AddedTokens::FindRanges(
    const TokenTrie& trie, absl::string_view text) const {
  std::vector<Range> ranges;
  size_t done = 0;
  size_t from = 0;
  while (const std::optional<TokenTrie::Match> match = trie.Find(text, from)) {
    size_t begin = match->begin;
    size_t end = match->end;
    from = end;
    const AddedToken& token = tokens_[match->value];
    if (token.single_word && (EndsWithWord(text.substr(0, begin)) ||
                              StartsWithWord(text.substr(end)))) {
      continue;
    }
    if (token.lstrip) {
      const size_t spaces = SpaceBytesAtEnd(text.substr(0, begin));
      begin = std::max(begin - spaces, done);
    }
    if (token.rstrip) end += SpaceBytesAtStart(text.substr(end));
    if (begin > done) ranges.push_back({-1, done, begin});
    ranges.push_back({match->value, begin, end});
    done = end;
  }
  if (done < text.size()) ranges.push_back({-1, done, text.size()});
  return ranges;
}

absl::StatusOr<std::vector<AddedTokens::Segment>> AddedTokens::Split(
    absl::string_view text) const {
  std::vector<Segment> segments;
  for (const Range& outer : FindRanges(raw_, text)) {
    if (outer.token >= 0) {
      segments.push_back({.id = tokens_[outer.token].id});
      continue;
    }
    ASSIGN_OR_RETURN(const std::string normalized,
                     normalizer_.Normalize(
                         text.substr(outer.begin, outer.end - outer.begin)));
    for (const Range& inner : FindRanges(normalized_, normalized)) {
      if (inner.token >= 0) {
        segments.push_back({.id = tokens_[inner.token].id});
      } else {
        segments.push_back(
            {.id = Segment::kText,
             .text = normalized.substr(inner.begin, inner.end - inner.begin),
             .begins = outer.begin == 0 && inner.begin == 0});
      }
    }
  }
  return segments;
}

}  // namespace hybridserve
