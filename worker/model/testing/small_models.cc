#include "worker/model/testing/small_models.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/dtype.h"
#include "common/model_config.h"
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
  add("no_bias", [](ModelConfig& c) { c.has_bias = false; });
  add("no_norm_affine", [](ModelConfig& c) { c.has_norm_affine = false; });
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
      {"enable_bias", config.has_bias},
      {"layer_norm_elementwise_affine", config.has_norm_affine},
      {"_remove_final_layer_norm", config.pre_norm && !config.has_final_norm},
      {"tie_word_embeddings", config.tied_lm_head},
      {"activation_function",
       config.activation == ActivationFunction::kRelu ? "relu" : "gelu"},
      {"torch_dtype", absl::StrCat(Name(config.checkpoint_dtype))},
  };
  return object.dump(2);
}

}  // namespace hybridserve
