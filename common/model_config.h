#ifndef HYBRIDSERVE_COMMON_MODEL_CONFIG_H_
#define HYBRIDSERVE_COMMON_MODEL_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/dtype.h"

namespace hybridserve {

enum class Architecture {
  kOpt,    // arXiv:2205.01068
  kLlama,  // arXiv:2302.13971, and what is built like it: Mistral, Qwen2
};
enum class ActivationFunction { kRelu, kGelu, kSilu };

// A decoder's dimensions and what follows from them. Plain data, filled from a
// Hugging Face config.json by ParseModelConfig (common/model_config_json.h),
// which checks every field; a ModelConfig in hand is consistent.
struct ModelConfig {
  Architecture architecture = Architecture::kOpt;
  std::string model_type;  // "opt", "llama", "mistral", "qwen2"

  int64_t num_layers = 0;
  int64_t hidden = 0;        // h: width of the residual stream.
  int64_t num_heads = 0;     // n
  int64_t num_kv_heads = 0;  // n_kv; = num_heads on multi-head models.
  int64_t head_dim = 0;      // d
  int64_t ffn_dim = 0;
  int64_t vocab_size = 0;
  int64_t max_positions = 0;    // Longest sequence, prompt and output.
  int64_t position_offset = 0;  // OPT: 2; row of position 0 in the table.
  int64_t word_embed_dim = 0;   // = hidden unless the model projects.

  bool pre_norm = true;  // do_layer_norm_before
  // Biases of the linear layers.
  bool has_qkv_bias = true;
  bool has_output_bias = true;
  bool has_ffn_bias = true;
  bool has_norm_gain = true;
  bool has_norm_bias = true;
  bool centers_norm = true;    // Layer norm; false: root mean square norm.
  bool has_final_norm = true;  // pre_norm && !_remove_final_layer_norm
  bool tied_lm_head = true;    // tie_word_embeddings
  bool has_gate = false;       // fc2(act(gate(x)) * fc1(x)), not fc2(act(..)).
  ActivationFunction activation = ActivationFunction::kRelu;
  float norm_epsilon = 1e-5F;
  // Radians that a position turns each of a head's head_dim / 2 pairs of
  // elements in queries and keys; empty: the model has a table of positions.
  std::vector<float> rotary_frequencies;

  int64_t bos_token_id = -1;           // -1: the config names none.
  std::vector<int64_t> eos_token_ids;  // Any of them ends a sequence.
  int64_t pad_token_id = -1;
  DType checkpoint_dtype = DType::kFloat32;  // torch_dtype; float32 if absent.

  int64_t kv_width() const { return num_kv_heads * head_dim; }
  bool has_rotary() const { return !rotary_frequencies.empty(); }
  // Rows of the table of positions.
  int64_t position_rows() const {
    return has_rotary() ? 0 : max_positions + position_offset;
  }

  // Elements of a half-slot a token: the widest of the two uses of a slot. On
  // models where ACT pays (hidden < 2 * kv_width) ACT takes one half-slot of
  // `hidden` elements and K and V one each of kv_width() <= half_slot_width().
  int64_t half_slot_width() const {
    return act_pays() ? (hidden > kv_width() ? hidden : kv_width())
                      : kv_width();
  }
  // True where an activation checkpoint is smaller than K and V together
  // (DESIGN 6: from ACT/KV = 1.0 up no ACT is used).
  bool act_pays() const { return hidden < 2 * kv_width(); }

  // Weights of one decoder layer / of everything outside the layers, elements.
  int64_t LayerParameters() const;
  int64_t EmbeddingParameters() const;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_MODEL_CONFIG_H_
