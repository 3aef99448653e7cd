#include "common/generation_config.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

using nlohmann::json;

constexpr absl::string_view kFile = "generation_config.json";
constexpr JsonLimits kLimits = {.max_bytes = int64_t{1} << 20, .max_depth = 32};
constexpr IntRange kTokenIdRange = {.min = 0,
                                    .max = std::numeric_limits<int32_t>::max()};

absl::StatusOr<std::vector<int64_t>> ReadEos(const JsonFields& fields) {
  const json* eos = fields.Find("eos_token_id");
  if (eos == nullptr) return std::vector<int64_t>();
  const json list = eos->is_array() ? *eos : json::array({*eos});
  std::vector<int64_t> ids;
  for (const json& value : list) {
    const absl::StatusOr<int64_t> id = IntFromJson(value, kTokenIdRange);
    if (!id.ok()) return fields.Error("eos_token_id", id.status().message());
    ids.push_back(*id);
  }
  return ids;
}

}  // namespace

absl::StatusOr<GenerationConfig> ParseGenerationConfig(
    absl::string_view json_text) {
  const absl::StatusOr<json> object = ParseJson(json_text, kLimits);
  if (!object.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kFile, ": ", object.status().message()));
  }
  ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Create(*object, kFile));
  GenerationConfig config;
  ASSIGN_OR_RETURN(config.do_sample, fields.OptionalBool("do_sample"));
  ASSIGN_OR_RETURN(config.temperature, fields.OptionalNumber("temperature"));
  if (config.temperature.has_value() && !(*config.temperature > 0)) {
    return fields.Error("temperature", "must be above 0");
  }
  ASSIGN_OR_RETURN(config.top_k, fields.OptionalInt("top_k", {.min = 0}));
  ASSIGN_OR_RETURN(config.top_p, fields.OptionalNumber("top_p"));
  if (config.top_p.has_value() && !(*config.top_p > 0 && *config.top_p <= 1)) {
    return fields.Error("top_p", "must be above 0 and at most 1");
  }
  ASSIGN_OR_RETURN(config.repetition_penalty,
                   fields.OptionalNumber("repetition_penalty"));
  if (config.repetition_penalty.has_value() &&
      !(*config.repetition_penalty > 0)) {
    return fields.Error("repetition_penalty", "must be above 0");
  }
  ASSIGN_OR_RETURN(config.max_new_tokens,
                   fields.OptionalInt("max_new_tokens", {.min = 1}));
  ASSIGN_OR_RETURN(config.eos_token_ids, ReadEos(fields));
  return config;
}

}  // namespace hybridserve
