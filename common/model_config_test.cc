#include "common/model_config.h"

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

// facebook/opt-125m, whose parameters transformers counts as 125,239,296.
ModelConfig Opt125m() {
  return {.num_layers = 12,
          .hidden = 768,
          .num_heads = 12,
          .num_kv_heads = 12,
          .head_dim = 64,
          .ffn_dim = 3072,
          .vocab_size = 50272,
          .max_positions = 2048,
          .position_offset = 2,
          .word_embed_dim = 768};
}

TEST(ModelConfigTest, CountsTheParametersOfOpt125m) {
  const ModelConfig config = Opt125m();
  EXPECT_EQ(config.num_layers * config.LayerParameters() +
                config.EmbeddingParameters(),
            125'239'296);
}

TEST(ModelConfigTest, CountsWhatVariantsLeaveOutOrAdd) {
  const ModelConfig full = Opt125m();
  ModelConfig config = full;
  config.has_qkv_bias = config.has_output_bias = config.has_ffn_bias = false;
  EXPECT_EQ(full.LayerParameters() - config.LayerParameters(), 5 * 768 + 3072);

  config = full;
  config.has_norm_gain = config.has_norm_bias = false;
  EXPECT_EQ(full.LayerParameters() - config.LayerParameters(), 4 * 768);
  EXPECT_EQ(full.EmbeddingParameters() - config.EmbeddingParameters(), 2 * 768);

  config = full;
  config.has_final_norm = false;
  EXPECT_EQ(full.EmbeddingParameters() - config.EmbeddingParameters(), 2 * 768);

  config = full;
  config.tied_lm_head = false;
  EXPECT_EQ(config.EmbeddingParameters() - full.EmbeddingParameters(),
            50272 * 768);

  config = full;
  config.word_embed_dim = 512;
  EXPECT_EQ(config.EmbeddingParameters() - full.EmbeddingParameters(),
            2 * 512 * 768 - 50272 * (768 - 512));
}

TEST(ModelConfigTest, ActPaysOnMultiHeadModelsOnly) {
  ModelConfig config = Opt125m();
  EXPECT_TRUE(config.act_pays());
  EXPECT_EQ(config.half_slot_width(), 768);

  config.num_kv_heads = 6;  // ACT is as large as K and V.
  EXPECT_FALSE(config.act_pays());
  EXPECT_EQ(config.half_slot_width(), 384);

  config.num_kv_heads = 8;  // A slot must hold the wider, ACT.
  EXPECT_TRUE(config.act_pays());
  EXPECT_EQ(config.half_slot_width(), 768);
}

}  // namespace
}  // namespace hybridserve
