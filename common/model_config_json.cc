#include "common/model_config_json.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/dtype.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/llama_config_json.h"
#include "common/model_config.h"
#include "common/opt_config_json.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

using nlohmann::json;

constexpr absl::string_view kFile = "config.json";
constexpr JsonLimits kLimits = {.max_bytes = int64_t{1} << 20, .max_depth = 32};

// What the model's family says of it.
absl::Status ReadFamily(const JsonFields& fields, ModelConfig& config) {
  const std::string& type = config.model_type;
  if (type == "opt") return ReadOptConfig(fields, config);
  if (type == "llama" || type == "mistral" || type == "qwen2") {
    return ReadLlamaConfig(fields, config);
  }
  return fields.Error("model_type",
                      absl::StrCat("\"", type,
                                   "\" is not a supported architecture; "
                                   "supported: opt, llama, mistral, qwen2"));
}

// transformers wrote torch_dtype until version 5, dtype since.
absl::Status ReadDType(const JsonFields& fields, ModelConfig& config) {
  const absl::string_view field =
      fields.Find("dtype") != nullptr ? "dtype" : "torch_dtype";
  ASSIGN_OR_RETURN(const std::optional<std::string> text,
                   fields.OptionalString(field));
  if (!text.has_value()) return absl::OkStatus();
  const absl::string_view name = absl::StripPrefix(*text, "torch.");
  for (const DType dtype :
       {DType::kFloat32, DType::kBFloat16, DType::kFloat16}) {
    if (name == Name(dtype)) {
      config.checkpoint_dtype = dtype;
      return absl::OkStatus();
    }
  }
  return fields.Error(field, absl::StrCat("\"", *text,
                                          "\" is not supported; supported: "
                                          "float32, bfloat16, float16"));
}

}  // namespace

absl::StatusOr<ModelConfig> ParseModelConfig(absl::string_view json_text) {
  const absl::StatusOr<json> object = ParseJson(json_text, kLimits);
  if (!object.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kFile, ": ", object.status().message()));
  }
  ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Create(*object, kFile));
  ModelConfig config;
  ASSIGN_OR_RETURN(config.model_type, fields.String("model_type"));
  RETURN_IF_ERROR(ReadFamily(fields, config));
  if (fields.Find("quantization_config") != nullptr) {
    return fields.Error("quantization_config",
                        "quantized weights are not supported");
  }
  RETURN_IF_ERROR(ReadDType(fields, config));
  return config;
}

}  // namespace hybridserve
