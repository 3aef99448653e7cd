#include "scheduler/tokenizer/tokenizer_json.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "scheduler/tokenizer/json_view.h"
#include "scheduler/tokenizer/normalizer_json.h"
#include "scheduler/tokenizer/pattern_json.h"
#include "scheduler/tokenizer/post_processor_json.h"
#include "scheduler/tokenizer/pre_tokenizer_json.h"
#include "scheduler/tokenizer/vocab_json.h"

namespace hybridserve {
namespace {

constexpr absl::string_view kFile = "tokenizer.json";

// "a b", or ["a", "b"] since `tokenizers` 0.20.
absl::StatusOr<std::pair<std::string, std::string>> ParseMerge(
    const JsonView& json) {
  if (json.is_string()) {
    ASSIGN_OR_RETURN(const std::string text, json.String());
    const std::vector<std::string> parts = absl::StrSplit(text, ' ');
    if (parts.size() != 2) return json.Error("expected two tokens");
    return std::pair(parts[0], parts[1]);
  }
  ASSIGN_OR_RETURN(const std::vector<JsonView> parts, json.Elements());
  if (parts.size() != 2) return json.Error("expected two tokens");
  ASSIGN_OR_RETURN(std::string left, parts[0].String());
  ASSIGN_OR_RETURN(std::string right, parts[1].String());
  return std::pair(std::move(left), std::move(right));
}

// The fields that would make it another kind of BPE than those two.
absl::Status CheckPlainBpe(const JsonView& json) {
  RETURN_IF_ERROR(json.CheckOnlyKeys(
      {"type", "dropout", "unk_token", "continuing_subword_prefix",
       "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges",
       "vocab", "merges"}));
  ASSIGN_OR_RETURN(const std::string type, json.StringOr("type", "BPE"));
  if (type != "BPE") return UnsupportedType(json, type);
  ASSIGN_OR_RETURN(const std::optional<JsonView> dropout, json.Find("dropout"));
  if (dropout.has_value() && !dropout->is_zero()) {
    return dropout->Error("is for training: only null or 0 is supported");
  }
  for (const absl::string_view key :
       {"continuing_subword_prefix", "end_of_word_suffix"}) {
    ASSIGN_OR_RETURN(const std::string affix, json.StringOr(key, ""));
    if (!affix.empty()) {
      return json.Error(absl::StrCat(key, " is not supported"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<BpeAlphabet> ParseAlphabet(const JsonView& model) {
  ASSIGN_OR_RETURN(const bool byte_fallback,
                   model.BoolOr("byte_fallback", false));
  return byte_fallback ? BpeAlphabet::kCharacters : BpeAlphabet::kBytes;
}

absl::StatusOr<BpeModel> ParseModel(const JsonView& json,
                                    BpeAlphabet alphabet) {
  RETURN_IF_ERROR(CheckPlainBpe(json));
  BpeSpec spec;
  spec.alphabet = alphabet;
  spec.file = json.path();
  ASSIGN_OR_RETURN(spec.unk_token, json.StringOr("unk_token", ""));
  ASSIGN_OR_RETURN(spec.fuse_unk, json.BoolOr("fuse_unk", false));
  ASSIGN_OR_RETURN(spec.ignore_merges, json.BoolOr("ignore_merges", false));
  ASSIGN_OR_RETURN(const JsonView vocab, json.Get("vocab"));
  ASSIGN_OR_RETURN(spec.vocab, ParseVocab(vocab));
  ASSIGN_OR_RETURN(const JsonView merges, json.Get("merges"));
  ASSIGN_OR_RETURN(const std::vector<JsonView> elements, merges.Elements());
  spec.merges.reserve(elements.size());
  for (const JsonView& element : elements) {
    ASSIGN_OR_RETURN(auto merge, ParseMerge(element));
    spec.merges.push_back(std::move(merge));
  }
  return BpeModel::Create(std::move(spec));
}

absl::StatusOr<AddedToken> ParseAddedToken(const JsonView& json) {
  RETURN_IF_ERROR(json.CheckOnlyKeys({"id", "content", "special", "lstrip",
                                      "rstrip", "single_word", "normalized"}));
  AddedToken token;
  ASSIGN_OR_RETURN(const JsonView id_view, json.Get("id"));
  ASSIGN_OR_RETURN(const int64_t id,
                   id_view.Integer(0, std::numeric_limits<int32_t>::max()));
  token.id = static_cast<int32_t>(id);
  ASSIGN_OR_RETURN(const JsonView content, json.Get("content"));
  ASSIGN_OR_RETURN(token.content, content.String());
  ASSIGN_OR_RETURN(token.special, json.BoolOr("special", false));
  ASSIGN_OR_RETURN(token.lstrip, json.BoolOr("lstrip", false));
  ASSIGN_OR_RETURN(token.rstrip, json.BoolOr("rstrip", false));
  ASSIGN_OR_RETURN(token.single_word, json.BoolOr("single_word", false));
  ASSIGN_OR_RETURN(token.normalized, json.BoolOr("normalized", !token.special));
  return token;
}

absl::StatusOr<std::vector<AddedToken>> ParseAddedTokens(const JsonView& json) {
  std::vector<AddedToken> tokens;
  if (json.is_null()) return tokens;
  ASSIGN_OR_RETURN(const std::vector<JsonView> elements, json.Elements());
  for (const JsonView& element : elements) {
    ASSIGN_OR_RETURN(AddedToken token, ParseAddedToken(element));
    if (!token.content.empty()) tokens.push_back(std::move(token));
  }
  return tokens;
}

// ByteLevel, alone or in Sequences of nothing else.
absl::Status CheckDecoder(const JsonView& json) {
  if (json.is_null()) return json.Error("only ByteLevel is supported");
  ASSIGN_OR_RETURN(const JsonView type_view, json.Get("type"));
  ASSIGN_OR_RETURN(const std::string type, type_view.String());
  if (type == "ByteLevel") {
    return json.CheckOnlyKeys(
        {"type", "add_prefix_space", "trim_offsets", "use_regex"});
  }
  if (type != "Sequence") return UnsupportedType(json, type);
  RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "decoders"}));
  ASSIGN_OR_RETURN(const JsonView list, json.Get("decoders"));
  ASSIGN_OR_RETURN(const std::vector<JsonView> decoders, list.Elements());
  if (decoders.size() != 1) return list.Error("only one is supported");
  return CheckDecoder(decoders[0]);
}

// "\u2581" is a space.
absl::Status CheckSpaces(const JsonView& json) {
  RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "pattern", "content"}));
  ASSIGN_OR_RETURN(const JsonView pattern, json.Get("pattern"));
  RETURN_IF_ERROR(pattern.CheckOnlyKeys({"String"}));
  ASSIGN_OR_RETURN(const JsonView text_view, pattern.Get("String"));
  ASSIGN_OR_RETURN(const std::string text, text_view.String());
  ASSIGN_OR_RETURN(const std::string content, json.StringOr("content", ""));
  if (text == "\u2581" && content == " ") return absl::OkStatus();
  return json.Error("only \"\u2581\" by a space is supported");
}

// Whether it drops a space at the start.
absl::StatusOr<bool> ParseStrip(const JsonView& json) {
  RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "content", "start", "stop"}));
  ASSIGN_OR_RETURN(const std::string content, json.StringOr("content", ""));
  ASSIGN_OR_RETURN(const JsonView start_view, json.Get("start"));
  ASSIGN_OR_RETURN(const int64_t start, start_view.Integer(0, 1));
  ASSIGN_OR_RETURN(const JsonView stop_view, json.Get("stop"));
  RETURN_IF_ERROR(stop_view.Integer(0, 0).status());
  if (content != " ") return json.Error("only spaces are supported");
  return start == 1;
}

// That of SentencePiece's BPE: Replace, ByteFallback, Fuse and perhaps Strip.
// Whether a text begins with a space that is no part of it.
absl::StatusOr<bool> ParseCharacterDecoder(const JsonView& json) {
  constexpr absl::string_view kTypes[] = {"Replace", "ByteFallback", "Fuse",
                                          "Strip"};
  if (json.is_null()) return json.Error("only a Sequence is supported");
  ASSIGN_OR_RETURN(const JsonView type_view, json.Get("type"));
  ASSIGN_OR_RETURN(const std::string type, type_view.String());
  if (type != "Sequence") return UnsupportedType(json, type);
  RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "decoders"}));
  ASSIGN_OR_RETURN(const JsonView list, json.Get("decoders"));
  ASSIGN_OR_RETURN(const std::vector<JsonView> steps, list.Elements());
  if (steps.size() < 3 || steps.size() > 4) {
    return list.Error("only Replace, ByteFallback, Fuse, Strip are supported");
  }
  bool strips = false;
  for (size_t i = 0; i < steps.size(); ++i) {
    ASSIGN_OR_RETURN(const JsonView step_view, steps[i].Get("type"));
    ASSIGN_OR_RETURN(const std::string step, step_view.String());
    if (step != kTypes[i]) return UnsupportedType(steps[i], step);
  }
  RETURN_IF_ERROR(CheckSpaces(steps[0]));
  if (steps.size() == 4) {
    ASSIGN_OR_RETURN(strips, ParseStrip(steps[3]));
  }
  return strips;
}

}  // namespace

absl::StatusOr<TokenizerSpec> ParseTokenizerJson(absl::string_view text) {
  ASSIGN_OR_RETURN(const JsonDocument document,
                   JsonDocument::Parse(kFile, text));
  const JsonView root = document.root();
  RETURN_IF_ERROR(root.CheckOnlyKeys(
      {"version", "truncation", "padding", "added_tokens", "normalizer",
       "pre_tokenizer", "post_processor", "decoder", "model"}));
  ASSIGN_OR_RETURN(const JsonView model, root.Get("model"));
  ASSIGN_OR_RETURN(const BpeAlphabet alphabet, ParseAlphabet(model));
  ASSIGN_OR_RETURN(const JsonView decoder, root.FindOrNull("decoder"));
  bool strips_first_space = false;
  if (alphabet == BpeAlphabet::kBytes) {
    RETURN_IF_ERROR(CheckDecoder(decoder));
  } else {
    ASSIGN_OR_RETURN(strips_first_space, ParseCharacterDecoder(decoder));
  }
  ASSIGN_OR_RETURN(const JsonView normalizer_json,
                   root.FindOrNull("normalizer"));
  ASSIGN_OR_RETURN(Normalizer normalizer, ParseNormalizer(normalizer_json));
  ASSIGN_OR_RETURN(const JsonView pre_tokenizer_json,
                   root.FindOrNull("pre_tokenizer"));
  PreTokenizer pre_tokenizer({});
  if (alphabet == BpeAlphabet::kBytes) {
    ASSIGN_OR_RETURN(pre_tokenizer, ParsePreTokenizer(pre_tokenizer_json));
  } else {
    ASSIGN_OR_RETURN(pre_tokenizer,
                     ParseCharacterPreTokenizer(pre_tokenizer_json));
  }
  ASSIGN_OR_RETURN(const JsonView post_processor_json,
                   root.FindOrNull("post_processor"));
  ASSIGN_OR_RETURN(PostProcessor post_processor,
                   ParsePostProcessor(post_processor_json));
  ASSIGN_OR_RETURN(const JsonView added_tokens_json,
                   root.FindOrNull("added_tokens"));
  ASSIGN_OR_RETURN(std::vector<AddedToken> added_tokens,
                   ParseAddedTokens(added_tokens_json));
  ASSIGN_OR_RETURN(BpeModel bpe, ParseModel(model, alphabet));
  return TokenizerSpec{.bpe = std::move(bpe),
                       .alphabet = alphabet,
                       .strips_first_space = strips_first_space,
                       .normalizer = std::move(normalizer),
                       .pre_tokenizer = std::move(pre_tokenizer),
                       .post_processor = std::move(post_processor),
                       .added_tokens = std::move(added_tokens)};
}

}  // namespace hybridserve
