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
constexpr absl::string_view kMetaspace = "\u2581";

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
  ASSIGN_OR_RETURN(const bool add_prefix_space,
                   json.BoolOr("add_prefix_space", true));
  if (add_prefix_space) step.prefix = " ";
  ASSIGN_OR_RETURN(const bool use_regex, json.BoolOr("use_regex", true));
  if (use_regex) step.regex = PreTokenizer::Gpt2Regex();
  return step;
}

// As `tokenizers` reads it: add_prefix_space is an older spelling, which may
// not contradict prepend_scheme; str_rep is the replacement again.
absl::StatusOr<Step> ParseMetaspace(const JsonView& json) {
  RETURN_IF_ERROR(
      json.CheckOnlyKeys({"type", "replacement", "str_rep", "add_prefix_space",
                          "prepend_scheme", "split"}));
  ASSIGN_OR_RETURN(const JsonView replacement, json.Get("replacement"));
  Step step;
  ASSIGN_OR_RETURN(step.space, replacement.String());
  if (step.space != kMetaspace) {
    return replacement.Error("only \"\u2581\" is supported");
  }
  ASSIGN_OR_RETURN(const std::string scheme,
                   json.StringOr("prepend_scheme", "always"));
  ASSIGN_OR_RETURN(const bool add_prefix_space,
                   json.BoolOr("add_prefix_space", true));
  if (!add_prefix_space && scheme != "never") {
    return json.Error("add_prefix_space contradicts prepend_scheme");
  }
  if (scheme == "always" || scheme == "first") {
    step.prefix = step.space;
    step.prefix_first = scheme == "first";
  } else if (scheme != "never") {
    return json.Error(absl::StrCat("unknown prepend_scheme \"",
                                   absl::CHexEscape(scheme.substr(0, 64)),
                                   "\""));
  }
  ASSIGN_OR_RETURN(const bool split, json.BoolOr("split", true));
  if (split) {
    ASSIGN_OR_RETURN(step.regex, Regex::Literal(kMetaspace));
    step.behavior = SplitBehavior::kMergedWithNext;
  }
  return step;
}

struct Steps {
  std::vector<Step> list;
  bool is_byte_level = false;  // The last step made bytes.
  bool is_metaspace = false;   // One of them did away with spaces.
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
  } else if (type == "Metaspace") {
    if (steps.is_metaspace) {
      return json.Error("only one Metaspace is supported");
    }
    step = ParseMetaspace(json);
    steps.is_metaspace = true;
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
  if (steps.is_metaspace) {
    return json.Error("Metaspace beside ByteLevel is not supported");
  }
  return PreTokenizer(std::move(steps.list));
}

absl::StatusOr<PreTokenizer> ParseCharacterPreTokenizer(const JsonView& json) {
  Steps steps;
  if (!json.is_null()) RETURN_IF_ERROR(AddSteps(json, steps));
  if (steps.is_byte_level) {
    return json.Error("ByteLevel beside byte_fallback is not supported");
  }
  return PreTokenizer(std::move(steps.list));
}

}  // namespace hybridserve
