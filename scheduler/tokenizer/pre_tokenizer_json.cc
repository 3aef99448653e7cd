#include "scheduler/tokenizer/pre_tokenizer_json.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "scheduler/tokenizer/pattern_json.h"

namespace hybridserve {
namespace {

constexpr size_t kMaxSteps = 64;

using Step = PreTokenizer::Step;

absl::StatusOr<SplitBehavior> ParseBehavior(const JsonView& json) {
  ASSIGN_OR_RETURN(const std::string name, json.String());
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  return json.Error(absl::StrCat("unknown behavior \"",
                                 absl::CHexEscape(name.substr(0, 64)), "\""));
}

absl::StatusOr<Step> ParseSplit(const JsonView& json) {
  RETURN_IF_ERROR(
      json.CheckOnlyKeys({"type", "pattern", "behavior", "invert"}));
  Step step;
  ASSIGN_OR_RETURN(const JsonView pattern, json.Get("pattern"));
  ASSIGN_OR_RETURN(step.regex, ParsePattern(pattern));
  ASSIGN_OR_RETURN(const JsonView behavior, json.Get("behavior"));
  ASSIGN_OR_RETURN(step.behavior, ParseBehavior(behavior));
  ASSIGN_OR_RETURN(step.invert, json.BoolOr("invert", false));
  return step;
}

absl::StatusOr<Step> ParseDigits(const JsonView& json) {
  RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "individual_digits"}));
  ASSIGN_OR_RETURN(const bool individual,
                   json.BoolOr("individual_digits", false));
  Step step;
  ASSIGN_OR_RETURN(step.regex, Regex::Create("\\p{N}"));
  step.behavior =
      individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous;
  return step;
}

// trim_offsets changes where tokens are said to stand, not the tokens.
absl::StatusOr<Step> ParseByteLevel(const JsonView& json) {
  RETURN_IF_ERROR(json.CheckOnlyKeys(
      {"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  Step step;
  ASSIGN_OR_RETURN(step.add_prefix_space,
                   json.BoolOr("add_prefix_space", true));
  ASSIGN_OR_RETURN(const bool use_regex, json.BoolOr("use_regex", true));
  if (use_regex) step.regex = PreTokenizer::Gpt2Regex();
  return step;
}

struct Steps {
  std::vector<Step> list;
  bool is_byte_level = false;  // The last step made bytes.
};

absl::Status AddSteps(const JsonView& json, Steps& steps) {
  if (steps.list.size() >= kMaxSteps) return json.Error("too many steps");
  ASSIGN_OR_RETURN(const JsonView type_view, json.Get("type"));
  ASSIGN_OR_RETURN(const std::string type, type_view.String());
  if (type == "Sequence") {
    RETURN_IF_ERROR(json.CheckOnlyKeys({"type", "pretokenizers"}));
    ASSIGN_OR_RETURN(const JsonView list, json.Get("pretokenizers"));
    ASSIGN_OR_RETURN(const std::vector<JsonView> elements, list.Elements());
    for (const JsonView& element : elements) {
      RETURN_IF_ERROR(AddSteps(element, steps));
    }
    return absl::OkStatus();
  }

  if (steps.is_byte_level) {
    return json.Error("a step after ByteLevel is not supported");
  }
  absl::StatusOr<Step> step;
  if (type == "ByteLevel") {
    step = ParseByteLevel(json);
    steps.is_byte_level = true;
  } else if (type == "Split") {
    step = ParseSplit(json);
  } else if (type == "Digits") {
    step = ParseDigits(json);
  } else {
    return UnsupportedType(json, type);
  }
  RETURN_IF_ERROR(step.status());
  steps.list.push_back(*std::move(step));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PreTokenizer> ParsePreTokenizer(const JsonView& json) {
  Steps steps;
  if (!json.is_null()) RETURN_IF_ERROR(AddSteps(json, steps));
  if (!steps.is_byte_level) {
    return json.Error(
        "only byte-level tokenizers are supported: the last step must be "
        "ByteLevel");
  }
  return PreTokenizer(std::move(steps.list));
}

}  // namespace hybridserve
