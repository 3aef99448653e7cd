#include "scheduler/tokenizer/post_processor_json.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "scheduler/tokenizer/pattern_json.h"

namespace hybridserve {
namespace {

constexpr size_t kMaxElements = 1024;

absl::StatusOr<int32_t> ParseId(const JsonView& json) {
  ASSIGN_OR_RETURN(const int64_t id,
                   json.Integer(0, std::numeric_limits<int32_t>::max()));
  return static_cast<int32_t>(id);
}

// ["</s>", 2].
absl::StatusOr<int32_t> ParseTokenAndId(const JsonView& json) {
  ASSIGN_OR_RETURN(const std::vector<JsonView> pair, json.Elements());
  if (pair.size() != 2) return json.Error("expected [token, id]");
  return ParseId(pair[1]);
}

// [CLS] text [SEP]: the same for both kinds when there is one text.
absl::StatusOr<PostProcessor> ParseClsSep(const JsonView& json) {
  RETURN_IF_ERROR(json.CheckOnlyKeys(
      {"type", "sep", "cls", "trim_offsets", "add_prefix_space"}));
  ASSIGN_OR_RETURN(const JsonView cls, json.Get("cls"));
  ASSIGN_OR_RETURN(const JsonView sep, json.Get("sep"));
  ASSIGN_OR_RETURN(const int32_t cls_id, ParseTokenAndId(cls));
  ASSIGN_OR_RETURN(const int32_t sep_id, ParseTokenAndId(sep));
  return PostProcessor({cls_id, PostProcessor::kText, sep_id});
}

// Appends the ids of the special token `piece` names: its entry in `specials`.
absl::Status AddSpecial(const JsonView& piece, const JsonView& specials,
                        std::vector<int32_t>& elements) {
  ASSIGN_OR_RETURN(const JsonView name_view, piece.Get("id"));
  ASSIGN_OR_RETURN(const std::string name, name_view.String());
  ASSIGN_OR_RETURN(const std::optional<JsonView> entry, specials.Find(name));
  if (!entry.has_value()) {
    return name_view.Error(absl::StrCat("\"",
                                        absl::CHexEscape(name.substr(0, 64)),
                                        "\" is not among special_tokens"));
  }
  ASSIGN_OR_RETURN(const JsonView ids, entry->Get("ids"));
  ASSIGN_OR_RETURN(const std::vector<JsonView> id_views, ids.Elements());
  for (const JsonView& view : id_views) {
    ASSIGN_OR_RETURN(const int32_t id, ParseId(view));
    elements.push_back(id);
  }
  return absl::OkStatus();
}

absl::StatusOr<PostProcessor> ParseTemplate(const JsonView& json) {
  RETURN_IF_ERROR(
      json.CheckOnlyKeys({"type", "single", "pair", "special_tokens"}));
  ASSIGN_OR_RETURN(const JsonView single, json.Get("single"));
  ASSIGN_OR_RETURN(const JsonView specials, json.Get("special_tokens"));
  ASSIGN_OR_RETURN(const std::vector<JsonView> pieces, single.Elements());
  std::vector<int32_t> elements;
  for (const JsonView& piece : pieces) {
    RETURN_IF_ERROR(piece.CheckOnlyKeys({"SpecialToken", "Sequence"}));
    ASSIGN_OR_RETURN(const std::optional<JsonView> special,
                     piece.Find("SpecialToken"));
    ASSIGN_OR_RETURN(const std::optional<JsonView> sequence,
                     piece.Find("Sequence"));
    if (special.has_value() == sequence.has_value()) {
      return piece.Error("expected either SpecialToken or Sequence");
    }
    if (special.has_value()) {
      RETURN_IF_ERROR(AddSpecial(*special, specials, elements));
    } else {
      ASSIGN_OR_RETURN(const JsonView id, sequence->Get("id"));
      ASSIGN_OR_RETURN(const std::string name, id.String());
      if (name != "A") return id.Error("expected \"A\"");
      elements.push_back(PostProcessor::kText);
    }
    if (elements.size() > kMaxElements) return single.Error("too long");
  }
  return PostProcessor(std::move(elements));
}

absl::StatusOr<PostProcessor> Parse(const JsonView& json);

absl::StatusOr<PostProcessor> ParseSequence(const JsonView& json) {
  RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "processors"}));
  ASSIGN_OR_RETURN(const JsonView list, json.Get("processors"));
  ASSIGN_OR_RETURN(const std::vector<JsonView> elements, list.Elements());
  PostProcessor result;
  for (const JsonView& element : elements) {
    ASSIGN_OR_RETURN(const PostProcessor next, Parse(element));
    // A text that appears k times k-fold each step: bounded before it is made.
    if (result.elements().size() * (next.elements().size() + 1) >
        kMaxElements) {
      return element.Error("too long a result");
    }
    result = next.After(result);
  }
  return result;
}

absl::StatusOr<PostProcessor> Parse(const JsonView& json) {
  ASSIGN_OR_RETURN(const JsonView type_view, json.Get("type"));
  ASSIGN_OR_RETURN(const std::string type, type_view.String());
  if (type == "TemplateProcessing") return ParseTemplate(json);
  if (type == "RobertaProcessing" || type == "BertProcessing") {
    return ParseClsSep(json);
  }
  if (type == "Sequence") return ParseSequence(json);
  if (type == "ByteLevel") {
    RETURN_IF_ERROR(json.CheckOnlyKeys(
        {"type", "add_prefix_space", "trim_offsets", "use_regex"}));
    return PostProcessor();
  }
  return UnsupportedType(json, type);
}

}  // namespace

absl::StatusOr<PostProcessor> ParsePostProcessor(const JsonView& json) {
  if (json.is_null()) return PostProcessor();
  return Parse(json);
}

}  // namespace hybridserve
