#include "scheduler/tokenizer/vocab_merges.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "scheduler/tokenizer/json_view.h"
#include "scheduler/tokenizer/utf8.h"
#include "scheduler/tokenizer/vocab_json.h"

namespace hybridserve {
namespace {

using Vocab = absl::flat_hash_map<std::string, int32_t>;
using Merges = std::vector<std::pair<std::string, std::string>>;

// GPT2Tokenizer's bos, eos and unk where no file names them.
constexpr absl::string_view kDefaultToken = "<|endoftext|>";

absl::Status MergesError(size_t line, absl::string_view message) {
  return absl::InvalidArgumentError(
      absl::StrCat("merges.txt: line ", line, ": ", message));
}

// "a b" a line, best first, after an optional "#version: 0.2".
absl::StatusOr<Merges> ParseMerges(absl::string_view text) {
  if (static_cast<int64_t>(text.size()) > JsonDocument::kMaxBytes) {
    return absl::InvalidArgumentError("merges.txt: too large");
  }
  if (const std::optional<int64_t> offset = FindInvalidUtf8(text)) {
    return absl::InvalidArgumentError(
        absl::StrCat("merges.txt: not valid UTF-8 at byte ", *offset));
  }
  Merges merges;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    absl::ConsumeSuffix(&line, "\r");
    if (line.empty() || (number == 1 && absl::StartsWith(line, "#version"))) {
      continue;
    }
    std::vector<std::string> parts = absl::StrSplit(line, ' ');
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
      return MergesError(number, "expected two tokens with a space between");
    }
    merges.emplace_back(std::move(parts[0]), std::move(parts[1]));
  }
  return merges;
}

absl::Status CheckClass(const SpecialTokens& special) {
  const std::string& name = special.tokenizer_class;
  if (!name.empty() && name != "GPT2Tokenizer" && name != "GPT2TokenizerFast") {
    return absl::InvalidArgumentError(absl::StrCat(
        "tokenizer_config.json: tokenizer_class: \"",
        absl::CHexEscape(name.substr(0, 64)),
        "\" is not supported without a tokenizer.json, only GPT2Tokenizer is"));
  }
  if (special.add_eos_token) {
    return absl::InvalidArgumentError(
        "tokenizer_config.json: add_eos_token is not supported without a "
        "tokenizer.json");
  }
  return absl::OkStatus();
}

// Collects the added tokens, each content once: the first mention's flags
// count, and a special token is special wherever it says so.
class Collector {
 public:
  Collector(const Vocab& vocab, const Vocab& added)
      : vocab_(vocab), added_(added) {}

  absl::Status Add(const SpecialTokens::Token& mention) {
    AddedToken token = mention.token;
    const std::optional<int32_t> known = IdOf(token.content);
    if (known.has_value()) {
      if (mention.has_id && mention.token.id != *known) {
        return absl::InvalidArgumentError(
            absl::StrCat(mention.field, ": its id is ", *known,
                         " according to the vocabulary"));
      }
      token.id = *known;
    } else if (!mention.has_id) {
      return absl::InvalidArgumentError(absl::StrCat(
          mention.field, ": \"", absl::Utf8SafeCEscape(token.content),
          "\" has no id: it is not in vocab.json"));
    }
    const auto [it, is_new] =
        by_content_.try_emplace(token.content, tokens_.size());
    if (is_new) {
      tokens_.push_back(std::move(token));
    } else {
      tokens_[it->second].special |= token.special;
    }
    return absl::OkStatus();
  }

  std::optional<int32_t> IdOf(const std::string& content) const {
    for (const Vocab* ids : {&vocab_, &added_}) {
      const auto it = ids->find(content);
      if (it != ids->end()) return it->second;
    }
    const auto it = by_content_.find(content);
    if (it != by_content_.end()) return tokens_[it->second].id;
    return std::nullopt;
  }

  std::vector<AddedToken> Take() { return std::move(tokens_); }

 private:
  const Vocab& vocab_;
  const Vocab& added_;
  std::vector<AddedToken> tokens_;
  absl::flat_hash_map<std::string, size_t> by_content_;
};

// The id and content of a role, by default of <|endoftext|> if there is one.
std::string ContentOf(absl::string_view role, const SpecialTokens& special,
                      const Collector& tokens) {
  const SpecialTokens::Token* given = special.Find(role);
  if (given != nullptr) return given->token.content;
  const std::string fallback(kDefaultToken);
  return tokens.IdOf(fallback).has_value() ? fallback : "";
}

absl::StatusOr<Vocab> ParseAddedTokensFile(absl::string_view text) {
  if (text.empty()) return Vocab();
  ASSIGN_OR_RETURN(const JsonDocument document,
                   JsonDocument::Parse("added_tokens.json", text));
  return ParseVocab(document.root());
}

absl::Status AddAll(const Vocab& vocab, const Vocab& added,
                    const SpecialTokens& special, Collector& tokens) {
  for (const SpecialTokens::Token& token : special.others) {
    RETURN_IF_ERROR(tokens.Add(token));
  }
  for (const auto& [role, token] : special.roles) {
    RETURN_IF_ERROR(tokens.Add(token));
  }
  std::vector<std::pair<int32_t, std::string>> sorted;
  for (const auto& [content, id] : added) sorted.emplace_back(id, content);
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [id, content] : sorted) {
    if (content.empty()) continue;
    SpecialTokens::Token token{.field = "added_tokens.json", .has_id = true};
    token.token = {.id = id, .content = content, .normalized = false};
    RETURN_IF_ERROR(tokens.Add(token));
  }
  if (special.roles.empty() && vocab.contains(kDefaultToken)) {
    SpecialTokens::Token token{.field = "vocab.json"};
    token.token = {.content = std::string{kDefaultToken},
                   .special = true,
                   .normalized = false};
    RETURN_IF_ERROR(tokens.Add(token));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TokenizerSpec> ParseVocabAndMerges(
    absl::string_view vocab_json, absl::string_view merges_txt,
    absl::string_view added_tokens_json, const SpecialTokens& special) {
  RETURN_IF_ERROR(CheckClass(special));
  ASSIGN_OR_RETURN(const JsonDocument document,
                   JsonDocument::Parse("vocab.json", vocab_json));
  BpeSpec bpe_spec;
  bpe_spec.file = "vocab.json and merges.txt";
  ASSIGN_OR_RETURN(bpe_spec.vocab, ParseVocab(document.root()));
  ASSIGN_OR_RETURN(bpe_spec.merges, ParseMerges(merges_txt));
  ASSIGN_OR_RETURN(const Vocab added, ParseAddedTokensFile(added_tokens_json));

  Collector tokens(bpe_spec.vocab, added);
  RETURN_IF_ERROR(AddAll(bpe_spec.vocab, added, special, tokens));
  const std::string unk = ContentOf("unk", special, tokens);
  if (bpe_spec.vocab.contains(unk)) bpe_spec.unk_token = unk;

  PostProcessor post_processor;
  if (special.add_bos_token) {
    const std::string bos = ContentOf("bos", special, tokens);
    if (bos.empty()) {
      return absl::InvalidArgumentError(
          "tokenizer_config.json: add_bos_token is true without a bos_token");
    }
    post_processor = PostProcessor({*tokens.IdOf(bos), PostProcessor::kText});
  }
  ASSIGN_OR_RETURN(BpeModel bpe, BpeModel::Create(std::move(bpe_spec)));
  PreTokenizer::Step byte_level{.prefix = special.add_prefix_space ? " " : "",
                                .regex = PreTokenizer::Gpt2Regex()};
  return TokenizerSpec{.bpe = std::move(bpe),
                       .normalizer = Normalizer({}),
                       .pre_tokenizer = PreTokenizer({std::move(byte_level)}),
                       .post_processor = std::move(post_processor),
                       .added_tokens = tokens.Take()};
}

}  // namespace hybridserve
