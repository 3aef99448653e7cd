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
#include "common/model_config.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

using nlohmann::json;

constexpr absl::string_view kFile = "config.json";
constexpr JsonLimits kLimits = {.max_bytes = int64_t{1} << 20, .max_depth = 32};

// Far beyond any model, and small enough that no product of them overflows.
constexpr IntRange kLayerRange = {.min = 1, .max = 4096};
constexpr IntRange kWidthRange = {.min = 1, .max = int64_t{1} << 20};
constexpr IntRange kVocabRange = {.min = 1, .max = int64_t{1} << 24};
constexpr IntRange kPositionRange = {.min = 1, .max = int64_t{1} << 24};

constexpr int64_t kOptPositionOffset = 2;

absl::Status CheckArchitecture(const JsonFields& fields) {
  ASSIGN_OR_RETURN(const std::string model_type, fields.String("model_type"));
  if (model_type != "opt") {
    return fields.Error("model_type",
                        absl::StrCat("\"", model_type,
                                     "\" is not a supported architecture; "
                                     "supported: opt"));
  }
  const json* architectures = fields.Find("architectures");
  if (architectures == nullptr) return absl::OkStatus();
  if (!architectures->is_array()) {
    return fields.Error("architectures", "must be a list of strings");
  }
  for (const json& name : *architectures) {
    if (!name.is_string()) {
      return fields.Error("architectures", "must be a list of strings");
    }
    if (name != "OPTForCausalLM" && name != "OPTModel") {
      return fields.Error(
          "architectures",
          absl::StrCat("\"", name.get<std::string>(),
                       "\" is not supported; supported: OPTForCausalLM"));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadDimensions(const JsonFields& fields, ModelConfig& config) {
  ASSIGN_OR_RETURN(config.num_layers,
                   fields.Int("num_hidden_layers", kLayerRange));
  ASSIGN_OR_RETURN(config.hidden, fields.Int("hidden_size", kWidthRange));
  ASSIGN_OR_RETURN(
      config.num_heads,
      fields.Int("num_attention_heads", {.min = 1, .max = config.hidden}));
  ASSIGN_OR_RETURN(config.ffn_dim, fields.Int("ffn_dim", kWidthRange));
  ASSIGN_OR_RETURN(config.vocab_size, fields.Int("vocab_size", kVocabRange));
  ASSIGN_OR_RETURN(config.max_positions,
                   fields.Int("max_position_embeddings", kPositionRange));
  ASSIGN_OR_RETURN(const std::optional<int64_t> word_embed_dim,
                   fields.OptionalInt("word_embed_proj_dim", kWidthRange));
  config.word_embed_dim = word_embed_dim.value_or(config.hidden);
  if (config.hidden % config.num_heads != 0) {
    return fields.Error(
        "hidden_size",
        absl::StrCat("is ", config.hidden,
                     ", not a multiple of num_attention_heads, which is ",
                     config.num_heads));
  }
  config.num_kv_heads = config.num_heads;
  config.head_dim = config.hidden / config.num_heads;
  config.position_offset = kOptPositionOffset;
  return absl::OkStatus();
}

absl::StatusOr<bool> ReadBool(const JsonFields& fields, absl::string_view field,
                              bool default_value) {
  ASSIGN_OR_RETURN(const std::optional<bool> value, fields.OptionalBool(field));
  return value.value_or(default_value);
}

absl::Status ReadVariant(const JsonFields& fields, ModelConfig& config) {
  ASSIGN_OR_RETURN(config.pre_norm,
                   ReadBool(fields, "do_layer_norm_before", true));
  ASSIGN_OR_RETURN(config.has_bias, ReadBool(fields, "enable_bias", true));
  ASSIGN_OR_RETURN(config.has_norm_affine,
                   ReadBool(fields, "layer_norm_elementwise_affine", true));
  ASSIGN_OR_RETURN(const bool remove_final_norm,
                   ReadBool(fields, "_remove_final_layer_norm", false));
  config.has_final_norm = config.pre_norm && !remove_final_norm;
  ASSIGN_OR_RETURN(config.tied_lm_head,
                   ReadBool(fields, "tie_word_embeddings", true));

  ASSIGN_OR_RETURN(const std::optional<std::string> activation,
                   fields.OptionalString("activation_function"));
  if (!activation.has_value() || *activation == "relu") {
    config.activation = ActivationFunction::kRelu;
  } else if (*activation == "gelu") {
    config.activation = ActivationFunction::kGelu;
  } else {
    return fields.Error("activation_function",
                        absl::StrCat("\"", *activation,
                                     "\" is not supported; supported: relu, "
                                     "gelu"));
  }
  if (fields.Find("quantization_config") != nullptr) {
    return fields.Error("quantization_config",
                        "quantized weights are not supported");
  }
  return absl::OkStatus();
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

absl::Status ReadTokenIds(const JsonFields& fields, ModelConfig& config) {
  constexpr int64_t kOptPad = 1;
  constexpr int64_t kOptBosAndEos = 2;
  ASSIGN_OR_RETURN(
      config.bos_token_id,
      ReadTokenId(fields, "bos_token_id", kOptBosAndEos, config.vocab_size));
  ASSIGN_OR_RETURN(
      config.pad_token_id,
      ReadTokenId(fields, "pad_token_id", kOptPad, config.vocab_size));

  const json* eos = fields.Find("eos_token_id");
  if (eos == nullptr || !eos->is_array()) {
    ASSIGN_OR_RETURN(
        const int64_t id,
        ReadTokenId(fields, "eos_token_id", kOptBosAndEos, config.vocab_size));
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

}  // namespace

absl::StatusOr<ModelConfig> ParseModelConfig(absl::string_view json_text) {
  const absl::StatusOr<json> object = ParseJson(json_text, kLimits);
  if (!object.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kFile, ": ", object.status().message()));
  }
  ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Create(*object, kFile));
  RETURN_IF_ERROR(CheckArchitecture(fields));
  ModelConfig config;
  config.model_type = "opt";
  RETURN_IF_ERROR(ReadDimensions(fields, config));
  RETURN_IF_ERROR(ReadVariant(fields, config));
  RETURN_IF_ERROR(ReadDType(fields, config));
  RETURN_IF_ERROR(ReadTokenIds(fields, config));
  return config;
}

}  // namespace hybridserve
