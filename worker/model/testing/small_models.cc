#include "worker/model/testing/small_models.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "common/rotary_frequencies.h"
#include "nlohmann/json.hpp"

namespace hybridserve {

ModelConfig SmallConfig() {
  return {.model_type = "opt",
          .num_layers = 2,
          .hidden = 24,
          .num_heads = 3,
          .num_kv_heads = 3,
          .head_dim = 8,
          .ffn_dim = 40,
          .vocab_size = 150,
          .max_positions = 20,
          .position_offset = 2,
          .word_embed_dim = 24,
          .bos_token_id = 2,
          .eos_token_ids = {2},
          .pad_token_id = 1};
}

ModelConfig AsLlama(ModelConfig config) {
  config.architecture = Architecture::kLlama;
  config.model_type = "llama";
  config.position_offset = 0;
  config.has_qkv_bias = config.has_output_bias = config.has_ffn_bias = false;
  config.has_norm_bias = config.centers_norm = false;
  config.has_gate = true;
  config.tied_lm_head = false;
  config.activation = ActivationFunction::kSilu;
  config.norm_epsilon = 1e-6F;
  config.rotary_frequencies = RotaryFrequencies(config.head_dim, 10000, {});
  return config;
}

namespace {

nlohmann::json LlamaJson(const ModelConfig& config) {
  return {
      {"architectures", {"LlamaForCausalLM"}},
      {"model_type", "llama"},
      {"num_hidden_layers", config.num_layers},
      {"hidden_size", config.hidden},
      {"num_attention_heads", config.num_heads},
      {"num_key_value_heads", config.num_kv_heads},
      {"head_dim", config.head_dim},
      {"intermediate_size", config.ffn_dim},
      {"vocab_size", config.vocab_size},
      {"max_position_embeddings", config.max_positions},
      {"attention_bias", config.has_qkv_bias},
      {"mlp_bias", config.has_ffn_bias},
      {"tie_word_embeddings", config.tied_lm_head},
      {"bos_token_id", config.bos_token_id},
      {"pad_token_id", config.pad_token_id},
      {"torch_dtype", absl::StrCat(Name(config.checkpoint_dtype))},
  };
}

}  // namespace

std::vector<NamedConfig> SmallConfigs() {
  std::vector<NamedConfig> configs = {{"small", SmallConfig()}};
  const auto add = [&configs](const char* name, auto change) {
    NamedConfig named = {name, SmallConfig()};
    change(named.config);
    configs.push_back(std::move(named));
  };
  add("post_norm",
      [](ModelConfig& c) { c.pre_norm = c.has_final_norm = false; });
  add("no_final_norm", [](ModelConfig& c) { c.has_final_norm = false; });
  add("no_bias", [](ModelConfig& c) {
    c.has_qkv_bias = c.has_output_bias = c.has_ffn_bias = false;
  });
  add("no_norm_affine",
      [](ModelConfig& c) { c.has_norm_gain = c.has_norm_bias = false; });
  add("untied", [](ModelConfig& c) { c.tied_lm_head = false; });
  add("projected", [](ModelConfig& c) { c.word_embed_dim = 10; });
  add("bfloat16",
      [](ModelConfig& c) { c.checkpoint_dtype = DType::kBFloat16; });
  add("float16", [](ModelConfig& c) { c.checkpoint_dtype = DType::kFloat16; });
  add("gelu", [](ModelConfig& c) { c.activation = ActivationFunction::kGelu; });
  add("one_of_each", [](ModelConfig& c) {
    c.num_layers = c.hidden = c.num_heads = c.num_kv_heads = c.head_dim = 1;
    c.ffn_dim = c.max_positions = c.word_embed_dim = 1;
    c.vocab_size = 3;
  });
  configs.push_back({"llama", AsLlama(SmallConfig())});
  // Shared keys and values, heads wider than hidden / num_heads.
  add("grouped", [](ModelConfig& c) {
    c = AsLlama(SmallConfig());
    c.num_heads = 4;
    c.num_kv_heads = 2;
    c.head_dim = 10;
    c.rotary_frequencies = RotaryFrequencies(10, 10000, {});
    c.has_qkv_bias = c.has_output_bias = c.has_ffn_bias = true;
    c.tied_lm_head = true;
  });
  add("wide", [](ModelConfig& c) {
    c.num_layers = 1;
    c.hidden = c.word_embed_dim = 320;
    c.num_heads = c.num_kv_heads = 5;
    c.head_dim = 64;
    c.ffn_dim = 1000;
    c.vocab_size = 1027;
  });
  return configs;
}

std::string ConfigJson(const ModelConfig& config) {
  if (config.architecture == Architecture::kLlama) {
    return LlamaJson(config).dump(2);
  }
  const nlohmann::json object = {
      {"architectures", {"OPTForCausalLM"}},
      {"model_type", "opt"},
      {"num_hidden_layers", config.num_layers},
      {"hidden_size", config.hidden},
      {"num_attention_heads", config.num_heads},
      {"ffn_dim", config.ffn_dim},
      {"vocab_size", config.vocab_size},
      {"max_position_embeddings", config.max_positions},
      {"word_embed_proj_dim", config.word_embed_dim},
      {"do_layer_norm_before", config.pre_norm},
      {"enable_bias", config.has_qkv_bias},
      {"layer_norm_elementwise_affine", config.has_norm_gain},
      {"_remove_final_layer_norm", config.pre_norm && !config.has_final_norm},
      {"tie_word_embeddings", config.tied_lm_head},
      {"activation_function",
       config.activation == ActivationFunction::kRelu ? "relu" : "gelu"},
      {"torch_dtype", absl::StrCat(Name(config.checkpoint_dtype))},
  };
  return object.dump(2);
}

}  // namespace hybridserve
