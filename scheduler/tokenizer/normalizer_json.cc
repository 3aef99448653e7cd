#include "scheduler/tokenizer/normalizer_json.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "scheduler/tokenizer/pattern_json.h"

namespace hybridserve {
namespace {

constexpr size_t kMaxSteps = 64;

std::optional<Normalizer::UnicodeForm> UnicodeFormByName(
    absl::string_view name) {
  if (name == "NFC") return Normalizer::UnicodeForm::kNfc;
  if (name == "NFD") return Normalizer::UnicodeForm::kNfd;
  if (name == "NFKC") return Normalizer::UnicodeForm::kNfkc;
  if (name == "NFKD") return Normalizer::UnicodeForm::kNfkd;
  return std::nullopt;
}

absl::StatusOr<Normalizer::Step> ParseStep(const JsonView& json,
                                           absl::string_view type) {
  if (type == "Strip") {
    RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "strip_left", "strip_right"}));
    ASSIGN_OR_RETURN(const bool left, json.BoolOr("strip_left", true));
    ASSIGN_OR_RETURN(const bool right, json.BoolOr("strip_right", true));
    return Normalizer::Strip{.left = left, .right = right};
  }
  if (type == "Prepend") {
    RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "prepend"}));
    ASSIGN_OR_RETURN(const JsonView prefix, json.Get("prepend"));
    ASSIGN_OR_RETURN(std::string text, prefix.String());
    return Normalizer::Prepend{.prefix = std::move(text)};
  }
  if (type == "Replace") {
    RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "pattern", "content"}));
    ASSIGN_OR_RETURN(const JsonView pattern, json.Get("pattern"));
    ASSIGN_OR_RETURN(Regex regex, ParsePattern(pattern));
    ASSIGN_OR_RETURN(const JsonView content, json.Get("content"));
    ASSIGN_OR_RETURN(std::string text, content.String());
    return Normalizer::Replace{.regex = std::move(regex),
                               .content = std::move(text)};
  }

  // The others have no settings.
  std::optional<Normalizer::Step> step;
  if (type == "Lowercase") step = Normalizer::Lowercase{};
  if (type == "StripAccents") step = Normalizer::StripAccents{};
  if (const auto form = UnicodeFormByName(type)) step = *form;
  if (!step.has_value()) return UnsupportedType(json, type);
  RETURN_IF_ERROR(json.CheckOnlyKeys({"type"}));
  return *std::move(step);
}

absl::Status AddSteps(const JsonView& json,
                      std::vector<Normalizer::Step>& steps) {
  if (steps.size() >= kMaxSteps) return json.Error("too many steps");
  ASSIGN_OR_RETURN(const JsonView type_view, json.Get("type"));
  ASSIGN_OR_RETURN(const std::string type, type_view.String());
  if (type == "Sequence") {
    RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "normalizers"}));
    ASSIGN_OR_RETURN(const JsonView list, json.Get("normalizers"));
    ASSIGN_OR_RETURN(const std::vector<JsonView> elements, list.Elements());
    for (const JsonView& element : elements) {
      RETURN_IF_ERROR(AddSteps(element, steps));
    }
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(Normalizer::Step step, ParseStep(json, type));
  steps.push_back(std::move(step));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Normalizer> ParseNormalizer(const JsonView& json) {
  std::vector<Normalizer::Step> steps;
  if (!json.is_null()) RETURN_IF_ERROR(AddSteps(json, steps));
  return Normalizer(std::move(steps));
}

}  // namespace hybridserve
