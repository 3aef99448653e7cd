#include "common/model_config.h"

#include <cstdint>

namespace hybridserve {

int64_t ModelConfig::LayerParameters() const {
  const int64_t q_width = num_heads * head_dim;
  int64_t parameters = q_width * hidden           // Query.
                       + 2 * kv_width() * hidden  // Key and value.
                       + hidden * q_width         // Output.
                       + (has_gate ? 3 : 2) * ffn_dim * hidden;
  if (has_qkv_bias) parameters += q_width + 2 * kv_width();
  if (has_output_bias) parameters += hidden;
  if (has_ffn_bias) parameters += (has_gate ? 2 : 1) * ffn_dim + hidden;
  if (has_norm_gain) parameters += 2 * hidden;
  if (has_norm_bias) parameters += 2 * hidden;
  return parameters;
}

int64_t ModelConfig::EmbeddingParameters() const {
  int64_t parameters = vocab_size * word_embed_dim + position_rows() * hidden;
  if (!tied_lm_head) parameters += vocab_size * word_embed_dim;
  if (word_embed_dim != hidden) parameters += 2 * word_embed_dim * hidden;
  if (has_final_norm && has_norm_gain) parameters += hidden;
  if (has_final_norm && has_norm_bias) parameters += hidden;
  return parameters;
}

}  // namespace hybridserve
