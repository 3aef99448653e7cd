#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model_config.h"
#include "common/model_config_json.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hybridserve {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// The dimensions of a small model: all that has no default.
json Minimal(const std::string& type = "llama") {
  return {{"model_type", type},       {"hidden_size", 48},
          {"num_hidden_layers", 3},   {"num_attention_heads", 6},
          {"num_key_value_heads", 2}, {"intermediate_size", 80},
          {"vocab_size", 100},        {"max_position_embeddings", 6000}};
}

json With(const std::string& field, const json& value,
          const std::string& type = "llama") {
  json object = Minimal(type);
  object[field] = value;
  return object;
}

absl::StatusOr<ModelConfig> Parse(const json& object) {
  return ParseModelConfig(object.dump());
}

TEST(LlamaConfigJsonTest, FillsInTheDefaultsOfTransformers) {
  const ModelConfig config = Parse(Minimal()).value();
  EXPECT_EQ(config.architecture, Architecture::kLlama);
  EXPECT_EQ(config.model_type, "llama");
  EXPECT_EQ(config.num_heads, 6);
  EXPECT_EQ(config.num_kv_heads, 2);
  EXPECT_EQ(config.head_dim, 8);
  EXPECT_EQ(config.ffn_dim, 80);
  EXPECT_EQ(config.max_positions, 6000);
  EXPECT_EQ(config.position_offset, 0);
  EXPECT_EQ(config.position_rows(), 0);
  EXPECT_EQ(config.word_embed_dim, 48);
  EXPECT_TRUE(config.pre_norm);
  EXPECT_FALSE(config.has_qkv_bias);
  EXPECT_FALSE(config.has_output_bias);
  EXPECT_FALSE(config.has_ffn_bias);
  EXPECT_TRUE(config.has_norm_gain);
  EXPECT_FALSE(config.has_norm_bias);
  EXPECT_FALSE(config.centers_norm);
  EXPECT_TRUE(config.has_final_norm);
  EXPECT_TRUE(config.has_gate);
  EXPECT_FALSE(config.tied_lm_head);
  EXPECT_EQ(config.activation, ActivationFunction::kSilu);
  EXPECT_EQ(config.norm_epsilon, 1e-6F);
  EXPECT_EQ(config.rotary_frequencies.size(), 4U);
  EXPECT_FLOAT_EQ(config.rotary_frequencies[1], 0.1F);
  EXPECT_EQ(config.bos_token_id, 1);
  EXPECT_THAT(config.eos_token_ids, ElementsAre(2));
  EXPECT_EQ(config.pad_token_id, -1);
  // Three heads share keys and values: activations are wider than those.
  EXPECT_FALSE(config.act_pays());
}

// As published with meta-llama/Llama-3.1-8B.
TEST(LlamaConfigJsonTest, ReadsLlama31) {
  const ModelConfig config = ParseModelConfig(R"({
      "architectures": ["LlamaForCausalLM"], "attention_bias": false,
      "attention_dropout": 0.0, "bos_token_id": 128000,
      "eos_token_id": [128001, 128008, 128009], "hidden_act": "silu",
      "hidden_size": 4096, "initializer_range": 0.02,
      "intermediate_size": 14336, "max_position_embeddings": 131072,
      "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32,
      "num_hidden_layers": 32, "num_key_value_heads": 8, "pretraining_tp": 1,
      "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 8.0,
      "low_freq_factor": 1.0, "high_freq_factor": 4.0,
      "original_max_position_embeddings": 8192, "rope_type": "llama3"},
      "rope_theta": 500000.0, "tie_word_embeddings": false,
      "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 128256})")
                                 .value();
  EXPECT_EQ(config.head_dim, 128);
  EXPECT_EQ(config.norm_epsilon, 1e-5F);
  EXPECT_EQ(config.rotary_frequencies.size(), 64U);
  EXPECT_EQ(config.rotary_frequencies[0], 1);
  EXPECT_FALSE(config.act_pays());
  EXPECT_EQ(config.num_layers * config.LayerParameters() +
                config.EmbeddingParameters(),
            8'030'261'248);
}

// As published with mistralai/Mistral-7B-v0.1, but for the token ids.
TEST(LlamaConfigJsonTest, ASlidingWindowBoundsPositions) {
  json object = With("sliding_window", 4096, "mistral");
  object["architectures"] = {"MistralForCausalLM"};
  EXPECT_EQ(Parse(object)->max_positions, 4096);
  object["sliding_window"] = nullptr;
  EXPECT_EQ(Parse(object)->max_positions, 6000);
  object.erase("sliding_window");  // Its default, which is no null.
  EXPECT_EQ(Parse(object)->max_positions, 4096);
  object["sliding_window"] = 8000;
  EXPECT_EQ(Parse(object)->max_positions, 6000);

  object = With("sliding_window", 2048, "qwen2");
  EXPECT_EQ(Parse(object)->max_positions, 6000);
  object["use_sliding_window"] = true;
  EXPECT_EQ(Parse(object)->max_positions, 2048);
}

TEST(LlamaConfigJsonTest, ReadsQwen2) {
  const ModelConfig config = Parse(Minimal("qwen2")).value();
  EXPECT_TRUE(config.has_qkv_bias);
  EXPECT_FALSE(config.has_output_bias);
  EXPECT_FALSE(config.has_ffn_bias);
  EXPECT_EQ(config.bos_token_id, -1);
  EXPECT_THAT(config.eos_token_ids, IsEmpty());
}

TEST(LlamaConfigJsonTest, ReadsEveryVariant) {
  EXPECT_TRUE(Parse(With("attention_bias", true))->has_qkv_bias);
  EXPECT_TRUE(Parse(With("attention_bias", true))->has_output_bias);
  EXPECT_TRUE(Parse(With("mlp_bias", true))->has_ffn_bias);
  EXPECT_TRUE(Parse(With("tie_word_embeddings", true))->tied_lm_head);
  EXPECT_EQ(Parse(With("head_dim", 20))->head_dim, 20);
  EXPECT_EQ(Parse(With("hidden_act", "gelu"))->activation,
            ActivationFunction::kGelu);
  EXPECT_FLOAT_EQ(Parse(With("rope_theta", 1e8))->rotary_frequencies[1], 0.01F);
  json object = Minimal();
  object.erase("num_key_value_heads");
  EXPECT_EQ(Parse(object)->num_kv_heads, 6);
  EXPECT_TRUE(Parse(object)->act_pays());
  object = With("rope_scaling", {{"type", "linear"}, {"factor", 2}});
  EXPECT_FLOAT_EQ(Parse(object)->rotary_frequencies[0], 0.5F);
  object =
      With("rope_parameters", {{"rope_type", "default"}, {"rope_theta", 1e8}});
  EXPECT_FLOAT_EQ(Parse(object)->rotary_frequencies[1], 0.01F);
}

TEST(LlamaConfigJsonTest, RefusesWhatIsNotSupportedByName) {
  const struct {
    std::string field;
    json value;
    std::string message;
  } cases[] = {
      {"architectures", {"LlamaForSequenceClassification"}, "not supported"},
      {"architectures", {"MistralForCausalLM"}, "supported: LlamaForCausalLM"},
      {"num_key_value_heads", 4, "num_attention_heads: is 6, not a multiple"},
      {"num_key_value_heads", 7, "must be an integer in 1..6"},
      {"head_dim", 7, "must be even and at most 1024; is 7"},
      {"head_dim", 2000, "must be an integer in 2..1024"},
      {"hidden_size", 47, "not a multiple of num_attention_heads"},
      {"intermediate_size", 0, "must be an integer in 1.."},
      {"rms_norm_eps", 0, "must be above 0"},
      {"rms_norm_eps", -1e-5, "must be above 0"},
      {"rms_norm_eps", "small", "rms_norm_eps: must be"},
      {"rope_theta", 0, "must be above 0"},
      {"rope_theta", 1e300, "at most 1e+12"},
      {"partial_rotary_factor", 0.5, "0.5 is not supported"},
      {"rope_scaling", "linear", "rope_scaling: must hold a JSON object"},
      {"rope_scaling",
       {{"type", "yarn"}, {"factor", 4}},
       "rope_scaling: type: \"yarn\" is not supported"},
      {"rope_scaling",
       {{"rope_type", "linear"}},
       "rope_scaling: factor: missing"},
      {"rope_scaling",
       {{"rope_type", "llama3"}, {"factor", 8}},
       "low_freq_factor: missing"},
      {"rope_scaling",
       {{"rope_type", "llama3"},
        {"factor", 8},
        {"low_freq_factor", 4},
        {"high_freq_factor", 4}},
       "must be above low_freq_factor"},
      {"hidden_act", "gelu_pytorch_tanh", "not supported"},
      {"sliding_window", -5, "sliding_window: must be an integer"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(Parse(With(c.field, c.value)), StatusIs(kInvalid, c.message))
        << c.field << " " << c.value;
  }
  json object = Minimal("mistral");
  object.erase("num_key_value_heads");
  EXPECT_THAT(Parse(object),
              StatusIs(kInvalid, "num_key_value_heads: missing"));
}

}  // namespace
}  // namespace hybridserve
