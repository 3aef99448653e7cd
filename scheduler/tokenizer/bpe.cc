#include "scheduler/tokenizer/bpe.h"

#include <algorithm>
#include <limits>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "scheduler/tokenizer/byte_level.h"
#include "scheduler/tokenizer/utf8.h"

// The symbols of a piece form a doubly linked list inside an array; a heap
// holds every neighbouring pair that some merge joins, best rank first and
// leftmost among equals. Joining two symbols makes at most two new pairs, so
// that a piece of n bytes costs O(n log n), where looking for the best pair
// again after each merge costs O(n^2): minutes for a megabyte of one letter.
// A pair in the heap may be out of date: it is skipped unless the symbols there
// would still join to the same token. All this follows `tokenizers`
// (models/bpe/word.rs) so that ties fall alike.

namespace hybridserve {

std::string ByteToken(uint8_t byte) {
  return absl::StrFormat("<0x%02X>", byte);
}

uint64_t BpeModel::PairKey(int32_t left, int32_t right) {
  return (uint64_t{static_cast<uint32_t>(left)} << 32) |
         static_cast<uint32_t>(right);
}

absl::StatusOr<BpeModel> BpeModel::Create(BpeSpec spec) {
  absl::flat_hash_set<int32_t> seen;
  for (const auto& [token, id] : spec.vocab) {
    if (id < 0 || !seen.insert(id).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(spec.file, ".vocab: id ", id, " of \"",
                       absl::Utf8SafeCEscape(token.substr(0, 64)),
                       id < 0 ? "\" is negative" : "\" is given twice"));
    }
  }

  BpeModel model;
  model.vocab_ = std::move(spec.vocab);
  model.alphabet_ = spec.alphabet;
  RETURN_IF_ERROR(model.SetByteIds(spec));
  if (!spec.unk_token.empty()) {
    const auto it = model.vocab_.find(spec.unk_token);
    if (it == model.vocab_.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(spec.file, ".unk_token: \"",
                       absl::Utf8SafeCEscape(spec.unk_token.substr(0, 64)),
                       "\" is not in the vocabulary"));
    }
    model.unk_id_ = it->second;
  }
  model.fuse_unk_ = spec.fuse_unk;
  RETURN_IF_ERROR(model.AddMerges(spec));

  if (spec.ignore_merges) {
    for (const auto& [token, id] : model.vocab_) {
      const std::optional<std::string> bytes =
          spec.alphabet == BpeAlphabet::kBytes ? ByteLevelDecode(token) : token;
      if (bytes.has_value()) model.whole_pieces_.emplace(*bytes, id);
    }
  }
  return model;
}

absl::Status BpeModel::SetByteIds(const BpeSpec& spec) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool is_bytes = alphabet_ == BpeAlphabet::kBytes;
    const std::string token =
        is_bytes ? absl::StrCat(ByteLevelChar(byte)) : ByteToken(byte);
    const auto it = vocab_.find(token);
    byte_ids_[byte] = it == vocab_.end() ? kNone : it->second;
    if (!is_bytes && it == vocab_.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          spec.file, ".byte_fallback: ", token, " is not in the vocabulary"));
    }
  }
  return absl::OkStatus();
}

absl::Status BpeModel::AddMerges(const BpeSpec& spec) {
  merges_.reserve(spec.merges.size());
  std::string joined;
  for (size_t rank = 0; rank < spec.merges.size(); ++rank) {
    const auto& [left, right] = spec.merges[rank];
    joined.assign(left).append(right);
    std::array<int32_t, 3> ids;
    const std::array<absl::string_view, 3> tokens = {left, right, joined};
    for (int i = 0; i < 3; ++i) {
      const auto it = vocab_.find(tokens[i]);
      if (it == vocab_.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat(spec.file, ".merges[", rank, "]: \"",
                         absl::Utf8SafeCEscape(tokens[i].substr(0, 64)),
                         "\" is not in the vocabulary"));
      }
      ids[i] = it->second;
    }
    // The last of equal merges counts, as in `tokenizers`.
    merges_[PairKey(ids[0], ids[1])] = {.rank = static_cast<int32_t>(rank),
                                        .merged_id = ids[2]};
  }
  return absl::OkStatus();
}

std::optional<int32_t> BpeModel::TokenToId(absl::string_view token) const {
  const auto it = vocab_.find(token);
  if (it == vocab_.end()) return std::nullopt;
  return it->second;
}

void BpeModel::FillSymbols(absl::string_view piece,
                           Workspace& workspace) const {
  workspace.symbols_.clear();
  if (alphabet_ == BpeAlphabet::kBytes) {
    FillBytes(piece, workspace);
  } else {
    FillCharacters(piece, workspace);
  }
  if (!workspace.symbols_.empty()) workspace.symbols_.back().next = kNone;
}

void BpeModel::FillCharacters(absl::string_view piece,
                              Workspace& workspace) const {
  const auto push = [&symbols = workspace.symbols_](int32_t id) {
    const auto index = static_cast<int32_t>(symbols.size());
    symbols.push_back({.id = id, .previous = index - 1, .next = index + 1});
  };
  while (!piece.empty()) {
    const absl::string_view character = piece.substr(0, NextUtf8(piece).size);
    piece.remove_prefix(character.size());
    const auto it = vocab_.find(character);
    if (it != vocab_.end()) {
      push(it->second);
      continue;
    }
    for (const char byte : character) {
      push(byte_ids_[static_cast<uint8_t>(byte)]);
    }
  }
}

void BpeModel::FillBytes(absl::string_view piece, Workspace& workspace) const {
  auto& symbols = workspace.symbols_;
  bool after_unknown = false;
  for (const char byte : piece) {
    int32_t id = byte_ids_[static_cast<uint8_t>(byte)];
    if (id == kNone) {
      const bool fused = after_unknown && fuse_unk_;
      after_unknown = unk_id_ != kNone;
      if (fused || unk_id_ == kNone) continue;
      id = unk_id_;
    } else {
      after_unknown = false;
    }
    const auto index = static_cast<int32_t>(symbols.size());
    symbols.push_back({.id = id, .previous = index - 1, .next = index + 1});
  }
}

void BpeModel::PushCandidate(int32_t position, Workspace& workspace) const {
  const auto& symbols = workspace.symbols_;
  const int32_t next = symbols[position].next;
  if (next == kNone) return;
  const auto it = merges_.find(PairKey(symbols[position].id, symbols[next].id));
  if (it == merges_.end()) return;
  workspace.candidates_.push_back({.rank = it->second.rank,
                                   .position = position,
                                   .merged_id = it->second.merged_id});
}

void BpeModel::MergeSymbols(Workspace& workspace) const {
  auto& symbols = workspace.symbols_;
  auto& heap = workspace.candidates_;
  const auto worse = [](const auto& a, const auto& b) {
    return std::pair(a.rank, a.position) > std::pair(b.rank, b.position);
  };
  const auto push = [&](int32_t position) {
    const size_t before = heap.size();
    PushCandidate(position, workspace);
    if (heap.size() > before) std::push_heap(heap.begin(), heap.end(), worse);
  };

  heap.clear();
  for (int32_t i = 0; i < static_cast<int32_t>(symbols.size()); ++i) {
    PushCandidate(i, workspace);
  }
  std::make_heap(heap.begin(), heap.end(), worse);

  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), worse);
    const auto top = heap.back();
    heap.pop_back();

    auto& left = symbols[top.position];
    if (left.id == kNone || left.next == kNone) continue;
    auto& right = symbols[left.next];
    const auto it = merges_.find(PairKey(left.id, right.id));
    if (it == merges_.end() || it->second.merged_id != top.merged_id) continue;

    left.id = top.merged_id;
    left.next = right.next;
    right.id = kNone;
    if (left.next != kNone) symbols[left.next].previous = top.position;
    if (left.previous != kNone) push(left.previous);
    push(top.position);
  }
}

void BpeModel::Encode(absl::string_view piece, Workspace& workspace,
                      std::vector<int32_t>& ids) const {
  DCHECK_LT(piece.size(), size_t{std::numeric_limits<int32_t>::max()});
  if (!whole_pieces_.empty()) {
    const auto it = whole_pieces_.find(piece);
    if (it != whole_pieces_.end()) {
      ids.push_back(it->second);
      return;
    }
  }
  FillSymbols(piece, workspace);
  MergeSymbols(workspace);
  for (const auto& symbol : workspace.symbols_) {
    if (symbol.id != kNone) ids.push_back(symbol.id);
  }
}

}  // namespace hybridserve
