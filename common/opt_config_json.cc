#include "common/opt_config_json.h"

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "common/model_config_fields.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

constexpr absl::string_view kArchitectures[] = {"OPTForCausalLM", "OPTModel"};
constexpr int64_t kPositionOffset = 2;
constexpr TokenIdDefaults kTokenIds = {.bos = 2, .eos = 2, .pad = 1};

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
  RETURN_IF_ERROR(CheckMultiple(fields, "hidden_size", config.hidden,
                                "num_attention_heads", config.num_heads));
  config.num_kv_heads = config.num_heads;
  config.head_dim = config.hidden / config.num_heads;
  config.position_offset = kPositionOffset;
  return absl::OkStatus();
}

absl::Status ReadVariant(const JsonFields& fields, ModelConfig& config) {
  ASSIGN_OR_RETURN(config.pre_norm,
                   ReadBool(fields, "do_layer_norm_before", true));
  ASSIGN_OR_RETURN(const bool has_bias, ReadBool(fields, "enable_bias", true));
  config.has_qkv_bias = config.has_output_bias = config.has_ffn_bias = has_bias;
  ASSIGN_OR_RETURN(const bool has_norm_affine,
                   ReadBool(fields, "layer_norm_elementwise_affine", true));
  config.has_norm_gain = config.has_norm_bias = has_norm_affine;
  ASSIGN_OR_RETURN(const bool remove_final_norm,
                   ReadBool(fields, "_remove_final_layer_norm", false));
  config.has_final_norm = config.pre_norm && !remove_final_norm;
  ASSIGN_OR_RETURN(config.tied_lm_head,
                   ReadBool(fields, "tie_word_embeddings", true));
  return ReadActivation(fields, "activation_function",
                        ActivationFunction::kRelu, config);
}

}  // namespace

absl::Status ReadOptConfig(const JsonFields& fields, ModelConfig& config) {
  config.architecture = Architecture::kOpt;
  RETURN_IF_ERROR(CheckArchitectures(fields, kArchitectures));
  RETURN_IF_ERROR(ReadDimensions(fields, config));
  RETURN_IF_ERROR(ReadVariant(fields, config));
  return ReadTokenIds(fields, kTokenIds, config);
}

}  // namespace hybridserve
