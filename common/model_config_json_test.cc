#include "common/model_config_json.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/dtype.h"
#include "common/model_config.h"
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
json Minimal() {
  return {{"model_type", "opt"},
          {"hidden_size", 24},
          {"num_hidden_layers", 3},
          {"num_attention_heads", 4},
          {"ffn_dim", 40},
          {"vocab_size", 100},
          {"max_position_embeddings", 64}};
}

json With(const std::string& field, const json& value) {
  json object = Minimal();
  object[field] = value;
  return object;
}

absl::StatusOr<ModelConfig> Parse(const json& object) {
  return ParseModelConfig(object.dump());
}

TEST(ModelConfigJsonTest, FillsInTheDefaultsOfTransformers) {
  const ModelConfig config = Parse(Minimal()).value();
  EXPECT_EQ(config.architecture, Architecture::kOpt);
  EXPECT_EQ(config.model_type, "opt");
  EXPECT_EQ(config.num_layers, 3);
  EXPECT_EQ(config.hidden, 24);
  EXPECT_EQ(config.num_heads, 4);
  EXPECT_EQ(config.num_kv_heads, 4);
  EXPECT_EQ(config.head_dim, 6);
  EXPECT_EQ(config.ffn_dim, 40);
  EXPECT_EQ(config.vocab_size, 100);
  EXPECT_EQ(config.max_positions, 64);
  EXPECT_EQ(config.position_offset, 2);
  EXPECT_EQ(config.word_embed_dim, 24);
  EXPECT_TRUE(config.pre_norm);
  EXPECT_TRUE(config.has_qkv_bias);
  EXPECT_TRUE(config.has_output_bias);
  EXPECT_TRUE(config.has_ffn_bias);
  EXPECT_TRUE(config.has_norm_gain);
  EXPECT_TRUE(config.has_norm_bias);
  EXPECT_TRUE(config.centers_norm);
  EXPECT_FALSE(config.has_gate);
  EXPECT_FALSE(config.has_rotary());
  EXPECT_TRUE(config.has_final_norm);
  EXPECT_TRUE(config.tied_lm_head);
  EXPECT_EQ(config.activation, ActivationFunction::kRelu);
  EXPECT_EQ(config.norm_epsilon, 1e-5F);
  EXPECT_EQ(config.bos_token_id, 2);
  EXPECT_THAT(config.eos_token_ids, ElementsAre(2));
  EXPECT_EQ(config.pad_token_id, 1);
  EXPECT_EQ(config.checkpoint_dtype, DType::kFloat32);
}

// As published with facebook/opt-350m.
TEST(ModelConfigJsonTest, ReadsThePostNormModelThatProjects) {
  const ModelConfig config = ParseModelConfig(R"({
      "_name_or_path": "opt-350m", "_remove_final_layer_norm": false,
      "activation_dropout": 0.0, "activation_function": "relu",
      "architectures": ["OPTForCausalLM"], "attention_dropout": 0.0,
      "bos_token_id": 2, "hidden_size": 1024, "do_layer_norm_before": false,
      "dropout": 0.1, "eos_token_id": 2, "ffn_dim": 4096, "init_std": 0.02,
      "layerdrop": 0.0, "max_position_embeddings": 2048, "model_type": "opt",
      "num_attention_heads": 16, "num_hidden_layers": 24, "pad_token_id": 1,
      "prefix": "</s>", "torch_dtype": "float16", "use_cache": true,
      "vocab_size": 50272, "word_embed_proj_dim": 512})")
                                 .value();
  EXPECT_EQ(config.word_embed_dim, 512);
  EXPECT_FALSE(config.pre_norm);
  EXPECT_FALSE(config.has_final_norm);
  EXPECT_EQ(config.checkpoint_dtype, DType::kFloat16);
}

TEST(ModelConfigJsonTest, ReadsEveryVariant) {
  EXPECT_FALSE(Parse(With("enable_bias", false))->has_qkv_bias);
  EXPECT_FALSE(Parse(With("enable_bias", false))->has_ffn_bias);
  EXPECT_FALSE(
      Parse(With("layer_norm_elementwise_affine", false))->has_norm_gain);
  EXPECT_FALSE(Parse(With("_remove_final_layer_norm", true))->has_final_norm);
  EXPECT_FALSE(Parse(With("do_layer_norm_before", false))->has_final_norm);
  EXPECT_FALSE(Parse(With("tie_word_embeddings", false))->tied_lm_head);
  EXPECT_EQ(Parse(With("activation_function", "gelu"))->activation,
            ActivationFunction::kGelu);
  EXPECT_EQ(Parse(With("word_embed_proj_dim", nullptr))->word_embed_dim, 24);
  EXPECT_EQ(Parse(With("dtype", "bfloat16"))->checkpoint_dtype,
            DType::kBFloat16);
  EXPECT_EQ(Parse(With("torch_dtype", "torch.float32"))->checkpoint_dtype,
            DType::kFloat32);
}

TEST(ModelConfigJsonTest, ReadsTokenIds) {
  EXPECT_THAT(Parse(With("eos_token_id", {7, 9}))->eos_token_ids,
              ElementsAre(7, 9));
  EXPECT_THAT(Parse(With("eos_token_id", -1))->eos_token_ids, IsEmpty());
  EXPECT_THAT(Parse(With("eos_token_id", json::array()))->eos_token_ids,
              IsEmpty());
  EXPECT_EQ(Parse(With("bos_token_id", 5))->bos_token_id, 5);
  EXPECT_EQ(Parse(With("pad_token_id", -1))->pad_token_id, -1);
  // Too small a vocabulary for the defaults.
  const ModelConfig tiny = Parse(With("vocab_size", 1)).value();
  EXPECT_EQ(tiny.bos_token_id, -1);
  EXPECT_THAT(tiny.eos_token_ids, IsEmpty());
}

TEST(ModelConfigJsonTest, EveryDimensionMustBeThereAndSane) {
  for (const char* field :
       {"hidden_size", "num_hidden_layers", "num_attention_heads", "ffn_dim",
        "vocab_size", "max_position_embeddings"}) {
    const std::string where = absl::StrCat("config.json: ", field, ": ");
    json object = Minimal();
    object.erase(field);
    EXPECT_THAT(Parse(object), StatusIs(kInvalid, where + "missing"));
    for (const char* bad : {"0", "-1", "1.0", "1e3", "\"24\"", "true", "[24]",
                            "{}", "9223372036854775807", "18446744073709551615",
                            "99999999999999999999999999"}) {
      EXPECT_THAT(Parse(With(field, json::parse(bad))),
                  StatusIs(kInvalid, where + "must be an integer in 1.."))
          << bad;
    }
  }
}

TEST(ModelConfigJsonTest, HeadsMustDivideTheWidth) {
  EXPECT_THAT(Parse(With("num_attention_heads", 5)),
              StatusIs(kInvalid,
                       "config.json: hidden_size: is 24, not a multiple of "
                       "num_attention_heads, which is 5"));
  EXPECT_THAT(Parse(With("num_attention_heads", 25)),
              StatusIs(kInvalid, "num_attention_heads: must be"));
}

TEST(ModelConfigJsonTest, RefusesWhatIsNotSupportedByName) {
  const struct {
    std::string field;
    json value;
    std::string message;
  } cases[] = {
      {"model_type", "mamba", "\"mamba\" is not a supported architecture"},
      {"model_type", 7, "must be a string; is 7"},
      {"architectures",
       {"OPTForSequenceClassification"},
       "\"OPTForSequenceClassification\" is not supported"},
      {"architectures", "OPTForCausalLM", "must be a list of strings"},
      {"architectures", {1}, "must be a list of strings"},
      {"activation_function", "gelu_new", "\"gelu_new\" is not supported"},
      {"activation_function", false, "must be a string"},
      {"torch_dtype", "float64", "\"float64\" is not supported"},
      {"dtype", "int8", "\"int8\" is not supported"},
      {"quantization_config", json::object(), "not supported"},
      {"do_layer_norm_before", "yes", "must be true or false"},
      {"enable_bias", 1, "must be true or false; is 1"},
      {"layer_norm_elementwise_affine", 0, "must be true or false"},
      {"_remove_final_layer_norm", "", "must be true or false"},
      {"tie_word_embeddings", 2.5, "must be true or false"},
      {"word_embed_proj_dim", 0, "must be an integer in 1.."},
      {"word_embed_proj_dim", "512", "must be an integer in 1.."},
      {"eos_token_id", 100, "must be an integer in -1..99; is 100"},
      {"eos_token_id", {2, "x"}, "must be an integer in 0..99"},
      {"bos_token_id", -2, "must be an integer in -1..99"},
      {"pad_token_id", 1.5, "must be an integer in -1..99"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(
        Parse(With(c.field, c.value)),
        StatusIs(kInvalid, testing::AllOf(testing::StartsWith(absl::StrCat(
                                              "config.json: ", c.field, ": ")),
                                          testing::HasSubstr(c.message))))
        << c.value;
  }
  json object = Minimal();
  object.erase("model_type");
  EXPECT_THAT(Parse(object), StatusIs(kInvalid, "model_type: missing"));
}

TEST(ModelConfigJsonTest, RefusesWhatIsNoConfigAtAll) {
  EXPECT_THAT(ParseModelConfig(""),
              StatusIs(kInvalid, "config.json: not valid JSON"));
  EXPECT_THAT(ParseModelConfig("[]"),
              StatusIs(kInvalid, "config.json: must hold a JSON object"));
  EXPECT_THAT(ParseModelConfig("{\"model_type\": \"\xff\"}"),
              StatusIs(kInvalid, "UTF-8"));
  EXPECT_THAT(ParseModelConfig(std::string(100'000, '[')),
              StatusIs(kInvalid, "config.json: JSON nested deeper than 32"));
  EXPECT_THAT(ParseModelConfig(std::string(2'000'000, ' ')),
              StatusIs(kInvalid, "config.json: JSON of 2000000 bytes"));
}

}  // namespace
}  // namespace hybridserve
