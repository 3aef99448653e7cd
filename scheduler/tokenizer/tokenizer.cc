#include "scheduler/tokenizer/tokenizer.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "scheduler/tokenizer/byte_level.h"
#include "scheduler/tokenizer/tokenizer_json.h"
#include "scheduler/tokenizer/utf8.h"
#include "scheduler/tokenizer/vocab_merges.h"

namespace hybridserve {
namespace {

constexpr char kSpace[] = "\u2581";  // In a vocabulary of characters.

absl::StatusOr<TokenizerSpec> ParseFiles(const TokenizerFiles& files,
                                         const SpecialTokens& special) {
  if (!files.tokenizer_json.empty()) {
    return ParseTokenizerJson(files.tokenizer_json);
  }
  if (files.vocab_json.empty() || files.merges_txt.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no tokenizer: there is no tokenizer.json, and ",
                     files.vocab_json.empty() ? "vocab.json" : "merges.txt",
                     " is missing or empty"));
  }
  return ParseVocabAndMerges(files.vocab_json, files.merges_txt,
                             files.added_tokens_json, special);
}

absl::Status AddedTokenError(const AddedToken& token, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "added token \"", absl::Utf8SafeCEscape(token.content.substr(0, 64)),
      "\" with id ", token.id, ": ", why));
}

}  // namespace

Tokenizer::Tokenizer(TokenizerSpec spec, AddedTokens added_tokens)
    : spec_(std::move(spec)), added_tokens_(std::move(added_tokens)) {}

absl::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::Create(
    const TokenizerFiles& files) {
  ASSIGN_OR_RETURN(const SpecialTokens special,
                   ParseSpecialTokens(files.tokenizer_config_json,
                                      files.special_tokens_map_json));
  ASSIGN_OR_RETURN(TokenizerSpec spec, ParseFiles(files, special));
  RETURN_IF_ERROR(CheckAddedTokens(spec));
  ASSIGN_OR_RETURN(AddedTokens added_tokens,
                   AddedTokens::Create(spec.added_tokens, spec.normalizer));
  auto tokenizer =
      absl::WrapUnique(new Tokenizer(std::move(spec), std::move(added_tokens)));
  tokenizer->FillEntries();
  RETURN_IF_ERROR(tokenizer->CheckTemplate());
  tokenizer->SetRoles(special);
  return tokenizer;
}

absl::Status Tokenizer::CheckAddedTokens(const TokenizerSpec& spec) {
  absl::flat_hash_map<int32_t, absl::string_view> tokens;
  for (const auto& [token, id] : spec.bpe.vocab()) tokens.emplace(id, token);
  absl::flat_hash_map<std::string, int32_t> seen;
  for (const AddedToken& token : spec.added_tokens) {
    if (!seen.try_emplace(token.content, token.id).second) {
      return AddedTokenError(token, "its content is given twice");
    }
    const std::optional<int32_t> id = spec.bpe.TokenToId(token.content);
    if (id.has_value() && *id != token.id) {
      return AddedTokenError(
          token, absl::StrCat("the vocabulary has it with id ", *id));
    }
    const auto [it, is_new] = tokens.try_emplace(token.id, token.content);
    if (!is_new && it->second != token.content) {
      return AddedTokenError(token, "its id belongs to another token");
    }
  }
  return absl::OkStatus();
}

absl::Status Tokenizer::CheckTemplate() const {
  for (const int32_t id : spec_.post_processor.elements()) {
    if (id != PostProcessor::kText && !entries_.contains(id)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "tokenizer.json: post_processor: there is no token with id ", id));
    }
  }
  return absl::OkStatus();
}

std::string Tokenizer::BytesOf(const std::string& token) const {
  if (spec_.alphabet == BpeAlphabet::kBytes) {
    return ByteLevelDecode(token).value_or(token);
  }
  uint32_t byte = 0;
  if (token.size() == 6 && absl::StartsWith(token, "<0x") &&
      token.back() == '>' && absl::SimpleHexAtoi(token.substr(3, 2), &byte)) {
    return std::string(1, static_cast<char>(byte));
  }
  return absl::StrReplaceAll(token, {{kSpace, " "}});
}

void Tokenizer::FillEntries() {
  const auto set = [this](const std::string& token, int32_t id, bool special) {
    std::string bytes = BytesOf(token);
    longest_token_bytes_ =
        std::max(longest_token_bytes_, static_cast<int64_t>(bytes.size()));
    entries_[id] = {
        .token = token, .bytes = std::move(bytes), .special = special};
    vocab_size_ = std::max(vocab_size_, int64_t{id} + 1);
  };
  entries_.reserve(spec_.bpe.vocab().size() + spec_.added_tokens.size());
  for (const auto& [token, id] : spec_.bpe.vocab()) set(token, id, false);
  for (const AddedToken& token : spec_.added_tokens) {
    set(token.content, token.id, token.special);
    added_ids_.emplace(token.content, token.id);
  }
}

// The tokens themselves are tokenizer.json's, as far as it is there: here it
// is only said which of them play a part.
void Tokenizer::SetRoles(const SpecialTokens& special) {
  for (const auto& [role, mention] : special.roles) {
    const std::optional<int32_t> id = TokenToId(mention.token.content);
    if (!id.has_value()) continue;
    entries_[*id].special = true;
    if (role == "bos") bos_id_ = id;
    if (role == "eos") eos_id_ = id;
    if (role == "pad") pad_id_ = id;
  }
}

absl::StatusOr<std::vector<int32_t>> Tokenizer::Encode(
    absl::string_view utf8, bool add_special_tokens) const {
  if (static_cast<int64_t>(utf8.size()) > kMaxTextBytes) {
    return absl::InvalidArgumentError(absl::StrCat("text of ", utf8.size(),
                                                   " bytes, more than the ",
                                                   kMaxTextBytes, " allowed"));
  }
  if (const std::optional<int64_t> offset = FindInvalidUtf8(utf8)) {
    return absl::InvalidArgumentError(
        absl::StrCat("text is not valid UTF-8 at byte ", *offset));
  }
  std::vector<int32_t> ids;
  PreTokenizer::Pieces pieces;
  BpeModel::Workspace workspace;
  ASSIGN_OR_RETURN(const std::vector<AddedTokens::Segment> segments,
                   added_tokens_.Split(utf8));
  for (const AddedTokens::Segment& segment : segments) {
    if (segment.id != AddedTokens::Segment::kText) {
      ids.push_back(segment.id);
      continue;
    }
    RETURN_IF_ERROR(
        spec_.pre_tokenizer.Split(segment.text, segment.begins, pieces));
    for (const absl::string_view piece : pieces.views()) {
      spec_.bpe.Encode(piece, workspace, ids);
    }
  }
  return add_special_tokens ? spec_.post_processor.Process(ids) : ids;
}

std::string Tokenizer::Decode(absl::Span<const int32_t> ids,
                              bool skip_special_tokens) const {
  std::string bytes;
  for (const int32_t id : ids) {
    if (skip_special_tokens && IsSpecial(id)) continue;
    const absl::string_view token = TokenBytes(id);
    bytes.append(token.data(), token.size());
  }
  if (spec_.strips_first_space && absl::StartsWith(bytes, " ")) {
    bytes.erase(0, 1);
  }
  return Utf8Lossy(bytes);
}

std::string Tokenizer::DecodeToken(int32_t id, bool skip_special_tokens) const {
  if (skip_special_tokens && IsSpecial(id)) return "";
  return Utf8Lossy(TokenBytes(id));
}

absl::string_view Tokenizer::TokenBytes(int32_t id) const {
  const auto it = entries_.find(id);
  return it == entries_.end() ? absl::string_view() : it->second.bytes;
}

bool Tokenizer::IsSpecial(int32_t id) const {
  const auto it = entries_.find(id);
  return it != entries_.end() && it->second.special;
}

std::optional<int32_t> Tokenizer::TokenToId(absl::string_view token) const {
  const auto it = added_ids_.find(token);
  if (it != added_ids_.end()) return it->second;
  return spec_.bpe.TokenToId(token);
}

std::optional<absl::string_view> Tokenizer::IdToToken(int32_t id) const {
  const auto it = entries_.find(id);
  if (it == entries_.end()) return std::nullopt;
  return it->second.token;
}

}  // namespace hybridserve
