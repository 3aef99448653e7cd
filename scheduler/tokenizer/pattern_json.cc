#include "scheduler/tokenizer/pattern_json.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace hybridserve {

absl::StatusOr<Regex> ParsePattern(const JsonView& json) {
  ASSIGN_OR_RETURN(const std::vector<JsonView::Member> members, json.Members());
  if (members.size() != 1 ||
      (members[0].key != "String" && members[0].key != "Regex")) {
    return json.Error("expected {\"String\": ...} or {\"Regex\": ...}");
  }
  const JsonView& value = members[0].value;
  ASSIGN_OR_RETURN(const std::string text, value.String());
  if (text.empty()) return value.Error("is empty");
  absl::StatusOr<Regex> regex =
      members[0].key == "Regex" ? Regex::Create(text) : Regex::Literal(text);
  if (!regex.ok()) return value.Error(regex.status().message());
  return regex;
}

absl::Status UnsupportedType(const JsonView& json, absl::string_view type) {
  return json.Error(absl::StrCat(
      "type \"", absl::CHexEscape(type.substr(0, 64)), "\" is not supported"));
}

}  // namespace hybridserve
