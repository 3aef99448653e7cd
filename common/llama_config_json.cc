#include "common/llama_config_json.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/model_config_fields.h"
#include "common/rotary_frequencies.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

using nlohmann::json;

constexpr int64_t kMaxHeadDim = 1024;
constexpr double kDefaultTheta = 10000;
constexpr double kDefaultEpsilon = 1e-6;
constexpr int64_t kMistralWindow = 4096;

// In (0, most].
absl::StatusOr<double> ReadPositive(const JsonFields& fields,
                                    absl::string_view field, double most,
                                    std::optional<double> default_value) {
  ASSIGN_OR_RETURN(const std::optional<double> number,
                   fields.OptionalNumber(field));
  if (!number.has_value() && !default_value.has_value()) {
    return fields.Missing(field);
  }
  const double value = number.value_or(default_value.value_or(0));
  if (value > 0 && value <= most) return value;
  return fields.Error(field, absl::StrCat("must be above 0 and at most ", most,
                                          "; is ", value));
}

absl::Status ReadHeads(const JsonFields& fields, ModelConfig& config) {
  ASSIGN_OR_RETURN(
      config.num_heads,
      fields.Int("num_attention_heads", {.min = 1, .max = config.hidden}));
  const IntRange kv_range = {.min = 1, .max = config.num_heads};
  if (config.model_type == "llama") {
    ASSIGN_OR_RETURN(const std::optional<int64_t> kv_heads,
                     fields.OptionalInt("num_key_value_heads", kv_range));
    config.num_kv_heads = kv_heads.value_or(config.num_heads);
  } else {
    ASSIGN_OR_RETURN(config.num_kv_heads,
                     fields.Int("num_key_value_heads", kv_range));
  }
  RETURN_IF_ERROR(CheckMultiple(fields, "num_attention_heads", config.num_heads,
                                "num_key_value_heads", config.num_kv_heads));
  ASSIGN_OR_RETURN(
      const std::optional<int64_t> head_dim,
      fields.OptionalInt("head_dim", {.min = 2, .max = kMaxHeadDim}));
  if (!head_dim.has_value()) {
    RETURN_IF_ERROR(CheckMultiple(fields, "hidden_size", config.hidden,
                                  "num_attention_heads", config.num_heads));
  }
  config.head_dim = head_dim.value_or(config.hidden / config.num_heads);
  if (config.head_dim % 2 != 0 || config.head_dim > kMaxHeadDim) {
    return fields.Error("head_dim",
                        absl::StrCat("must be even and at most ", kMaxHeadDim,
                                     "; is ", config.head_dim));
  }
  if (config.num_heads * config.head_dim > kWidthRange.max) {
    return fields.Error("head_dim",
                        absl::StrCat("times num_attention_heads must be at "
                                     "most ",
                                     kWidthRange.max));
  }
  return absl::OkStatus();
}

// How far positions reach.
absl::Status ReadPositions(const JsonFields& fields, ModelConfig& config) {
  ASSIGN_OR_RETURN(config.max_positions,
                   fields.Int("max_position_embeddings", kPositionRange));
  ASSIGN_OR_RETURN(std::optional<int64_t> window,
                   fields.OptionalInt("sliding_window", kPositionRange));
  if (config.model_type == "mistral") {
    if (!fields.Has("sliding_window")) window = kMistralWindow;
  } else {
    ASSIGN_OR_RETURN(const bool slides,
                     ReadBool(fields, "use_sliding_window", false));
    if (!slides) window.reset();
  }
  config.max_positions =
      std::min(config.max_positions, window.value_or(config.max_positions));
  return absl::OkStatus();
}

absl::Status ReadDimensions(const JsonFields& fields, ModelConfig& config) {
  ASSIGN_OR_RETURN(config.num_layers,
                   fields.Int("num_hidden_layers", kLayerRange));
  ASSIGN_OR_RETURN(config.hidden, fields.Int("hidden_size", kWidthRange));
  RETURN_IF_ERROR(ReadHeads(fields, config));
  ASSIGN_OR_RETURN(config.ffn_dim,
                   fields.Int("intermediate_size", kWidthRange));
  ASSIGN_OR_RETURN(config.vocab_size, fields.Int("vocab_size", kVocabRange));
  config.word_embed_dim = config.hidden;
  return ReadPositions(fields, config);
}

absl::Status ReadVariant(const JsonFields& fields, ModelConfig& config) {
  config.has_norm_bias = config.centers_norm = false;
  config.has_gate = true;
  config.has_qkv_bias = config.model_type == "qwen2";
  config.has_output_bias = config.has_ffn_bias = false;
  if (config.model_type == "llama") {
    ASSIGN_OR_RETURN(config.has_qkv_bias,
                     ReadBool(fields, "attention_bias", false));
    config.has_output_bias = config.has_qkv_bias;
    ASSIGN_OR_RETURN(config.has_ffn_bias, ReadBool(fields, "mlp_bias", false));
  }
  ASSIGN_OR_RETURN(config.tied_lm_head,
                   ReadBool(fields, "tie_word_embeddings", false));
  ASSIGN_OR_RETURN(const double epsilon,
                   ReadPositive(fields, "rms_norm_eps", 1, kDefaultEpsilon));
  config.norm_epsilon = static_cast<float>(epsilon);
  return ReadActivation(fields, "hidden_act", ActivationFunction::kSilu,
                        config);
}

absl::StatusOr<RotaryScaling> ReadScaling(const JsonFields& scaling) {
  // The older of the two names.
  const absl::string_view field =
      scaling.Has("rope_type") ? "rope_type" : "type";
  ASSIGN_OR_RETURN(const std::optional<std::string> type,
                   scaling.OptionalString(field));
  RotaryScaling result;
  if (!type.has_value() || *type == "default") return result;
  constexpr double kMost = 1e6;
  if (*type != "linear" && *type != "llama3") {
    return scaling.Error(field, absl::StrCat("\"", *type,
                                             "\" is not supported; supported: "
                                             "default, linear, llama3"));
  }
  ASSIGN_OR_RETURN(result.factor,
                   ReadPositive(scaling, "factor", kMost, std::nullopt));
  if (*type == "linear") return result;
  result.by_wave_length = true;
  ASSIGN_OR_RETURN(
      result.low_frequency_factor,
      ReadPositive(scaling, "low_freq_factor", kMost, std::nullopt));
  ASSIGN_OR_RETURN(
      result.high_frequency_factor,
      ReadPositive(scaling, "high_freq_factor", kMost, std::nullopt));
  if (result.high_frequency_factor <= result.low_frequency_factor) {
    return scaling.Error("high_freq_factor", "must be above low_freq_factor");
  }
  ASSIGN_OR_RETURN(
      result.original_positions,
      scaling.Int("original_max_position_embeddings", kPositionRange));
  return result;
}

absl::Status ReadRotary(const JsonFields& fields, ModelConfig& config) {
  ASSIGN_OR_RETURN(const double part,
                   ReadPositive(fields, "partial_rotary_factor", 1, 1.0));
  if (part != 1) {
    return fields.Error("partial_rotary_factor",
                        absl::StrCat(part, " is not supported; supported: 1"));
  }
  constexpr double kMostTheta = 1e12;
  ASSIGN_OR_RETURN(double theta, ReadPositive(fields, "rope_theta", kMostTheta,
                                              kDefaultTheta));
  RotaryScaling scaling;
  // transformers wrote rope_scaling until version 5, rope_parameters since.
  for (const char* const field : {"rope_scaling", "rope_parameters"}) {
    const json* const object = fields.Find(field);
    if (object == nullptr) continue;
    ASSIGN_OR_RETURN(
        const JsonFields within,
        JsonFields::Create(*object, absl::StrCat("config.json: ", field)));
    ASSIGN_OR_RETURN(theta,
                     ReadPositive(within, "rope_theta", kMostTheta, theta));
    ASSIGN_OR_RETURN(scaling, ReadScaling(within));
  }
  config.rotary_frequencies =
      RotaryFrequencies(config.head_dim, theta, scaling);
  return absl::OkStatus();
}

absl::Status CheckArchitecture(const JsonFields& fields,
                               absl::string_view model_type) {
  if (model_type == "mistral") {
    return CheckArchitectures(fields, {"MistralForCausalLM", "MistralModel"});
  }
  if (model_type == "qwen2") {
    return CheckArchitectures(fields, {"Qwen2ForCausalLM", "Qwen2Model"});
  }
  return CheckArchitectures(fields, {"LlamaForCausalLM", "LlamaModel"});
}

}  // namespace

absl::Status ReadLlamaConfig(const JsonFields& fields, ModelConfig& config) {
  config.architecture = Architecture::kLlama;
  RETURN_IF_ERROR(CheckArchitecture(fields, config.model_type));
  RETURN_IF_ERROR(ReadDimensions(fields, config));
  RETURN_IF_ERROR(ReadVariant(fields, config));
  RETURN_IF_ERROR(ReadRotary(fields, config));
  const bool qwen = config.model_type == "qwen2";
  return ReadTokenIds(
      fields, qwen ? TokenIdDefaults{} : TokenIdDefaults{.bos = 1, .eos = 2},
      config);
}

}  // namespace hybridserve
