#include "common/model_config_fields.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

using nlohmann::json;

// -1 stands for none in some configs, as null does.
absl::StatusOr<int64_t> ReadTokenId(const JsonFields& fields,
                                    absl::string_view field, int64_t default_id,
                                    int64_t vocab_size) {
  const IntRange range = {.min = -1, .max = vocab_size - 1};
  // A default beyond a tiny vocabulary names no token.
  if (default_id > range.max) default_id = -1;
  ASSIGN_OR_RETURN(const std::optional<int64_t> id,
                   fields.OptionalInt(field, range));
  return id.value_or(default_id);
}

}  // namespace

absl::Status CheckArchitectures(const JsonFields& fields,
                                absl::Span<const absl::string_view> supported) {
  const json* architectures = fields.Find("architectures");
  if (architectures == nullptr) return absl::OkStatus();
  if (!architectures->is_array()) {
    return fields.Error("architectures", "must be a list of strings");
  }
  for (const json& name : *architectures) {
    if (!name.is_string()) {
      return fields.Error("architectures", "must be a list of strings");
    }
    const std::string text = name.get<std::string>();
    if (std::find(supported.begin(), supported.end(), text) ==
        supported.end()) {
      return fields.Error(
          "architectures",
          absl::StrCat("\"", text,
                       "\" is not supported; supported: ", supported.front()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckMultiple(const JsonFields& fields, absl::string_view field,
                           int64_t value, absl::string_view part_field,
                           int64_t part) {
  if (value % part == 0) return absl::OkStatus();
  return fields.Error(field, absl::StrCat("is ", value, ", not a multiple of ",
                                          part_field, ", which is ", part));
}

absl::StatusOr<bool> ReadBool(const JsonFields& fields, absl::string_view field,
                              bool default_value) {
  ASSIGN_OR_RETURN(const std::optional<bool> value, fields.OptionalBool(field));
  return value.value_or(default_value);
}

absl::Status ReadTokenIds(const JsonFields& fields,
                          const TokenIdDefaults& defaults,
                          ModelConfig& config) {
  ASSIGN_OR_RETURN(
      config.bos_token_id,
      ReadTokenId(fields, "bos_token_id", defaults.bos, config.vocab_size));
  ASSIGN_OR_RETURN(
      config.pad_token_id,
      ReadTokenId(fields, "pad_token_id", defaults.pad, config.vocab_size));

  const json* eos = fields.Find("eos_token_id");
  if (eos == nullptr || !eos->is_array()) {
    ASSIGN_OR_RETURN(
        const int64_t id,
        ReadTokenId(fields, "eos_token_id", defaults.eos, config.vocab_size));
    if (id >= 0) config.eos_token_ids.push_back(id);
    return absl::OkStatus();
  }
  for (const json& value : *eos) {
    const absl::StatusOr<int64_t> id =
        IntFromJson(value, {.min = 0, .max = config.vocab_size - 1});
    if (!id.ok()) return fields.Error("eos_token_id", id.status().message());
    config.eos_token_ids.push_back(*id);
  }
  return absl::OkStatus();
}

absl::Status ReadActivation(const JsonFields& fields, absl::string_view field,
                            ActivationFunction default_value,
                            ModelConfig& config) {
  ASSIGN_OR_RETURN(const std::optional<std::string> name,
                   fields.OptionalString(field));
  if (!name.has_value()) {
    config.activation = default_value;
  } else if (*name == "relu") {
    config.activation = ActivationFunction::kRelu;
  } else if (*name == "gelu") {
    config.activation = ActivationFunction::kGelu;
  } else if (*name == "silu") {
    config.activation = ActivationFunction::kSilu;
  } else {
    return fields.Error(field, absl::StrCat("\"", *name,
                                            "\" is not supported; supported: "
                                            "relu, gelu, silu"));
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
