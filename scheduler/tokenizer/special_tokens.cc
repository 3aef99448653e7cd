#include "scheduler/tokenizer/special_tokens.h"

#include <algorithm>
#include <array>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "scheduler/tokenizer/json_view.h"

namespace hybridserve {
namespace {

constexpr std::array<absl::string_view, 7> kRoles = {"bos", "eos", "unk", "pad",
                                                     "sep", "cls", "mask"};

// "</s>", or {"content": "</s>", "lstrip": false, ...}.
absl::StatusOr<SpecialTokens::Token> ParseToken(const JsonView& json) {
  SpecialTokens::Token result{.field = json.path()};
  AddedToken& token = result.token;
  token.special = true;
  token.normalized = false;
  if (json.is_string()) {
    ASSIGN_OR_RETURN(token.content, json.String());
  } else {
    ASSIGN_OR_RETURN(const JsonView content, json.Get("content"));
    ASSIGN_OR_RETURN(token.content, content.String());
    ASSIGN_OR_RETURN(token.lstrip, json.BoolOr("lstrip", false));
    ASSIGN_OR_RETURN(token.rstrip, json.BoolOr("rstrip", false));
    ASSIGN_OR_RETURN(token.single_word, json.BoolOr("single_word", false));
    ASSIGN_OR_RETURN(token.normalized, json.BoolOr("normalized", false));
    ASSIGN_OR_RETURN(token.special, json.BoolOr("special", true));
  }
  if (token.content.empty()) return json.Error("is empty");
  return result;
}

void SetRole(absl::string_view role, SpecialTokens::Token token,
             SpecialTokens& result) {
  for (auto& [name, old] : result.roles) {
    if (name == role) {
      old = std::move(token);
      return;
    }
  }
  result.roles.emplace_back(role, std::move(token));
}

// The fields that both files may have.
absl::Status ParseRoles(const JsonView& root, SpecialTokens& result) {
  for (const absl::string_view role : kRoles) {
    ASSIGN_OR_RETURN(const std::optional<JsonView> field,
                     root.Find(absl::StrCat(role, "_token")));
    if (!field.has_value()) continue;
    ASSIGN_OR_RETURN(SpecialTokens::Token token, ParseToken(*field));
    SetRole(role, std::move(token), result);
  }
  ASSIGN_OR_RETURN(const std::optional<JsonView> additional,
                   root.Find("additional_special_tokens"));
  if (!additional.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<JsonView> elements,
                   additional->Elements());
  for (const JsonView& element : elements) {
    ASSIGN_OR_RETURN(SpecialTokens::Token token, ParseToken(element));
    result.others.push_back(std::move(token));
  }
  return absl::OkStatus();
}

// {"50256": {"content": ...}, ...}.
absl::Status ParseDeclared(const JsonView& json, SpecialTokens& result) {
  ASSIGN_OR_RETURN(const std::vector<JsonView::Member> members, json.Members());
  for (const JsonView::Member& member : members) {
    ASSIGN_OR_RETURN(SpecialTokens::Token token, ParseToken(member.value));
    if (!absl::SimpleAtoi(member.key, &token.token.id) || token.token.id < 0) {
      return member.value.Error("expected an id as the key");
    }
    token.has_id = true;
    result.others.push_back(std::move(token));
  }
  return absl::OkStatus();
}

}  // namespace

const SpecialTokens::Token* SpecialTokens::Find(absl::string_view role) const {
  for (const auto& [name, token] : roles) {
    if (name == role) return &token;
  }
  return nullptr;
}

absl::StatusOr<SpecialTokens> ParseSpecialTokens(
    absl::string_view tokenizer_config_json,
    absl::string_view special_tokens_map_json) {
  SpecialTokens result;
  bool map_is_obsolete = false;
  if (!tokenizer_config_json.empty()) {
    ASSIGN_OR_RETURN(
        const JsonDocument config,
        JsonDocument::Parse("tokenizer_config.json", tokenizer_config_json));
    const JsonView root = config.root();
    ASSIGN_OR_RETURN(const std::optional<JsonView> declared,
                     root.Find("added_tokens_decoder"));
    if (declared.has_value()) {
      map_is_obsolete = true;
      RETURN_IF_ERROR(ParseDeclared(*declared, result));
    }
    RETURN_IF_ERROR(ParseRoles(root, result));
    ASSIGN_OR_RETURN(result.tokenizer_class,
                     root.StringOr("tokenizer_class", ""));
    ASSIGN_OR_RETURN(result.add_bos_token, root.BoolOr("add_bos_token", false));
    ASSIGN_OR_RETURN(result.add_eos_token, root.BoolOr("add_eos_token", false));
    ASSIGN_OR_RETURN(result.add_prefix_space,
                     root.BoolOr("add_prefix_space", false));
  }
  if (!special_tokens_map_json.empty()) {
    ASSIGN_OR_RETURN(const JsonDocument map,
                     JsonDocument::Parse("special_tokens_map.json",
                                         special_tokens_map_json));
    SpecialTokens from_map;
    RETURN_IF_ERROR(ParseRoles(map.root(), from_map));
    if (!map_is_obsolete) {
      for (auto& [role, token] : from_map.roles) {
        SetRole(role, std::move(token), result);
      }
      for (auto& token : from_map.others) {
        result.others.push_back(std::move(token));
      }
    }
  }
  return result;
}

}  // namespace hybridserve
