#include "scheduler/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

struct Part {
  int64_t begin;
  int64_t end;
  bool is_match;
};

// The matches and what is between them, in order; together all of `text`.
absl::StatusOr<std::vector<Part>> FindParts(const PreTokenizer::Step& step,
                                            absl::string_view text) {
  std::vector<Part> parts;
  int64_t done = 0;
  RETURN_IF_ERROR(
      step.regex->ForEachMatch(text, [&](int64_t begin, int64_t end) {
        if (begin > done) parts.push_back({done, begin, step.invert});
        parts.push_back({begin, end, !step.invert});
        done = end;
      }));
  const auto size = static_cast<int64_t>(text.size());
  if (size > done) parts.push_back({done, size, step.invert});
  return parts;
}

// Joins each part to its left neighbour wherever `joins(part, neighbour's
// is_match)`. The part before the first counts as no match.
template <typename Joins>
std::vector<Part> JoinToTheLeft(const std::vector<Part>& parts, Joins joins) {
  std::vector<Part> joined;
  bool previous_is_match = false;
  for (const Part& part : parts) {
    if (!joined.empty() && joins(part, previous_is_match)) {
      joined.back().end = part.end;
    } else {
      joined.push_back(part);
    }
    previous_is_match = part.is_match;
  }
  return joined;
}

std::vector<Part> JoinMatchesToTheRight(const std::vector<Part>& parts) {
  std::vector<Part> joined;
  bool next_is_match = false;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (!joined.empty() && part->is_match && !next_is_match) {
      joined.back().begin = part->begin;
    } else {
      joined.push_back(*part);
    }
    next_is_match = part->is_match;
  }
  std::reverse(joined.begin(), joined.end());
  return joined;
}

std::vector<Part> Apply(SplitBehavior behavior, std::vector<Part> parts) {
  switch (behavior) {
    case SplitBehavior::kIsolated:
      return parts;
    case SplitBehavior::kRemoved:
      parts.erase(
          std::remove_if(parts.begin(), parts.end(),
                         [](const Part& part) { return part.is_match; }),
          parts.end());
      return parts;
    case SplitBehavior::kContiguous:
      return JoinToTheLeft(parts, [](const Part& part, bool previous) {
        return part.is_match == previous;
      });
    case SplitBehavior::kMergedWithPrevious:
      return JoinToTheLeft(parts, [](const Part& part, bool previous) {
        return part.is_match && !previous;
      });
    case SplitBehavior::kMergedWithNext:
      return JoinMatchesToTheRight(parts);
  }
  LOG(FATAL) << "behavior=" << static_cast<int>(behavior);
}

}  // namespace

Regex PreTokenizer::Gpt2Regex() {
  absl::StatusOr<Regex> regex = Regex::Create(
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|)"
      R"(\s+(?!\S)|\s+)");
  CHECK(regex.ok()) << regex.status();
  return *std::move(regex);
}

absl::string_view PreTokenizer::Rewrite(const Step& step,
                                        absl::string_view piece, bool begins,
                                        Pieces& pieces) {
  if (!step.space.empty() && absl::StrContains(piece, ' ')) {
    piece = pieces.owned_.emplace_back(
        absl::StrReplaceAll(piece, {{" ", step.space}}));
  }
  if ((begins || !step.prefix_first) && !absl::StartsWith(piece, step.prefix)) {
    piece = pieces.owned_.emplace_back(absl::StrCat(step.prefix, piece));
  }
  return piece;
}

absl::Status PreTokenizer::Split(absl::string_view text, bool begins,
                                 Pieces& pieces) const {
  pieces.views_.clear();
  pieces.owned_.clear();
  if (text.empty()) return absl::OkStatus();
  pieces.views_.push_back(text);
  std::vector<absl::string_view> previous;
  for (const Step& step : steps_) {
    previous.swap(pieces.views_);
    pieces.views_.clear();
    bool piece_begins = begins;  // Only the first can.
    begins = false;
    for (absl::string_view piece : previous) {
      piece = Rewrite(step, piece, piece_begins, pieces);
      std::vector<Part> parts = {
          {0, static_cast<int64_t>(piece.size()), false}};
      if (step.regex.has_value()) {
        ASSIGN_OR_RETURN(parts, FindParts(step, piece));
        parts = Apply(step.behavior, std::move(parts));
      }
      for (const Part& part : parts) {
        if (part.begin == part.end) continue;
        pieces.views_.push_back(
            piece.substr(part.begin, part.end - part.begin));
        begins = begins || (piece_begins && part.begin == 0);
      }
      piece_begins = false;
    }
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
