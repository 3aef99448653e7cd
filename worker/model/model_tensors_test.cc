#include "worker/model/model_tensors.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/model_config.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/model/tensor_source.h"
#include "worker/model/testing/small_models.h"

namespace hybridserve {
namespace {

using testing::Contains;
using testing::Not;

// Knows tensors' names and shapes; has no bytes.
class FakeSource final : public TensorSource {
 public:
  explicit FakeSource(const ModelConfig& config) {
    for (ExpectedTensor& tensor : ModelTensors(config)) {
      Set(tensor.name, std::move(tensor.shape));
    }
  }

  void Set(const std::string& name, std::vector<int64_t> shape) {
    tensors_[name] = {.shape = std::move(shape), .origin = "f.safetensors"};
  }
  void Erase(const std::string& name) { tensors_.erase(name); }

  std::vector<std::string> Names() const override {
    std::vector<std::string> names;
    for (const auto& [name, info] : tensors_) names.push_back(name);
    return names;
  }
  const TensorInfo* Find(absl::string_view name) const override {
    const auto it = tensors_.find(name);
    return it == tensors_.end() ? nullptr : &it->second;
  }
  absl::Status ReadRows(
      absl::string_view, int64_t, int64_t,
      absl::FunctionRef<absl::Status(absl::Span<const char>)>) const override {
    return absl::UnimplementedError("no bytes");
  }
  std::string origin() const override { return "index.json"; }
  std::string fingerprint() const override { return ""; }

 private:
  absl::btree_map<std::string, TensorInfo> tensors_;
};

std::vector<std::string> NamesOf(const ModelConfig& config) {
  std::vector<std::string> names;
  for (const ExpectedTensor& tensor : ModelTensors(config)) {
    names.push_back(tensor.name);
  }
  return names;
}

// The config counts parameters from the dimensions, without tensors.
TEST(ModelTensorsTest, HoldEveryParameterOfEveryVariantOnce) {
  for (const auto& [name, config] : SmallConfigs()) {
    SCOPED_TRACE(name);
    int64_t parameters = 0;
    std::set<std::string> names;
    for (const ExpectedTensor& tensor : ModelTensors(config)) {
      int64_t size = 1;
      for (const int64_t n : tensor.shape) size *= n;
      parameters += size;
      EXPECT_TRUE(names.insert(tensor.name).second) << tensor.name;
    }
    EXPECT_EQ(parameters, config.num_layers * config.LayerParameters() +
                              config.EmbeddingParameters());
  }
}

// Names as transformers 4.30 writes them for OPTForCausalLM.
TEST(ModelTensorsTest, GoByTheNamesOfTransformers) {
  ModelConfig config = SmallConfig();
  config.word_embed_dim = 10;
  config.tied_lm_head = false;
  const std::vector<std::string> names = NamesOf(config);
  for (const char* name : {"lm_head.weight",
                           "model.decoder.embed_positions.weight",
                           "model.decoder.embed_tokens.weight",
                           "model.decoder.final_layer_norm.bias",
                           "model.decoder.final_layer_norm.weight",
                           "model.decoder.layers.0.fc1.bias",
                           "model.decoder.layers.0.fc1.weight",
                           "model.decoder.layers.0.fc2.bias",
                           "model.decoder.layers.0.fc2.weight",
                           "model.decoder.layers.0.final_layer_norm.bias",
                           "model.decoder.layers.0.final_layer_norm.weight",
                           "model.decoder.layers.0.self_attn.k_proj.bias",
                           "model.decoder.layers.0.self_attn.k_proj.weight",
                           "model.decoder.layers.0.self_attn.out_proj.bias",
                           "model.decoder.layers.0.self_attn.out_proj.weight",
                           "model.decoder.layers.0.self_attn.q_proj.bias",
                           "model.decoder.layers.0.self_attn.q_proj.weight",
                           "model.decoder.layers.0.self_attn.v_proj.bias",
                           "model.decoder.layers.0.self_attn.v_proj.weight",
                           "model.decoder.layers.0.self_attn_layer_norm.bias",
                           "model.decoder.layers.0.self_attn_layer_norm.weight",
                           "model.decoder.layers.1.fc1.bias",
                           "model.decoder.project_in.weight",
                           "model.decoder.project_out.weight"}) {
    EXPECT_THAT(names, Contains(name));
  }
  EXPECT_EQ(names.size(), 7U + 2 * 16);
}

// Names as transformers 4.45 writes them for LlamaForCausalLM.
TEST(ModelTensorsTest, GoByTheNamesOfTransformersForLlama) {
  for (const auto& [variant, config] : SmallConfigs()) {
    if (variant != "llama") continue;
    EXPECT_THAT(
        NamesOf(config),
        testing::IsSupersetOf({"lm_head.weight", "model.embed_tokens.weight",
                               "model.norm.weight",
                               "model.layers.0.input_layernorm.weight",
                               "model.layers.0.mlp.down_proj.weight",
                               "model.layers.0.mlp.gate_proj.weight",
                               "model.layers.0.mlp.up_proj.weight",
                               "model.layers.0.post_attention_layernorm.weight",
                               "model.layers.0.self_attn.k_proj.weight",
                               "model.layers.0.self_attn.o_proj.weight",
                               "model.layers.0.self_attn.q_proj.weight",
                               "model.layers.0.self_attn.v_proj.weight"}));
    EXPECT_EQ(NamesOf(config).size(), 3U + 2 * 9);
    FakeSource source(config);
    source.Set("model.layers.1.self_attn.rotary_emb.inv_freq", {4});
    EXPECT_THAT(CheckTensors(source, config), IsOk());
    source.Set("model.layers.1.self_attn.q_proj.bias", {24});
    EXPECT_THAT(CheckTensors(source, config),
                StatusIs(absl::StatusCode::kInvalidArgument, "q_proj.bias"));
  }
}

TEST(ModelTensorsTest, VariantsLeaveTensorsOut) {
  ModelConfig config = SmallConfig();
  EXPECT_THAT(NamesOf(config), Not(Contains("lm_head.weight")));
  EXPECT_THAT(NamesOf(config),
              Not(Contains("model.decoder.project_in.weight")));
  config.has_qkv_bias = config.has_output_bias = config.has_ffn_bias = false;
  EXPECT_THAT(NamesOf(config),
              Not(Contains("model.decoder.layers.0.fc1.bias")));
  EXPECT_THAT(NamesOf(config),
              Contains("model.decoder.layers.0.final_layer_norm.bias"));
  config.has_norm_gain = config.has_norm_bias = false;
  EXPECT_THAT(NamesOf(config),
              Not(Contains("model.decoder.final_layer_norm.weight")));
  EXPECT_THAT(NamesOf(config),
              Not(Contains("model.decoder.layers.0.final_layer_norm.bias")));
}

TEST(ModelTensorsTest, ATiedHeadIsTheTokenTable) {
  ModelConfig config = SmallConfig();
  EXPECT_EQ(TensorName(config, LinearWeight::kHead, 0),
            "model.decoder.embed_tokens.weight");
  config.tied_lm_head = false;
  EXPECT_EQ(TensorName(config, LinearWeight::kHead, 0), "lm_head.weight");
}

TEST(CheckTensorsTest, AcceptsWhatFits) {
  for (const auto& [name, config] : SmallConfigs()) {
    EXPECT_THAT(CheckTensors(FakeSource(config), config), IsOk()) << name;
  }
}

TEST(CheckTensorsTest, IgnoresWhatIsKnownToBeHarmless) {
  const ModelConfig config = SmallConfig();
  FakeSource source(config);
  source.Set("lm_head.weight", {150, 24});
  source.Set("model.decoder.version", {1});
  EXPECT_THAT(CheckTensors(source, config), IsOk());
}

TEST(CheckTensorsTest, NamesFileTensorAndReason) {
  const ModelConfig config = SmallConfig();
  const std::string name = "model.decoder.layers.1.fc2.weight";
  FakeSource source(config);
  source.Set(name, {40, 24});
  EXPECT_THAT(CheckTensors(source, config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "f.safetensors: tensor " + name +
                           ": shape is [40, 24]; config.json wants [24, 40]"));
  source.Set(name, {});
  EXPECT_THAT(CheckTensors(source, config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "shape is []; config.json wants [24, 40]"));
  source.Erase(name);
  EXPECT_THAT(CheckTensors(source, config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "index.json: tensor " + name + ": missing"));
}

TEST(CheckTensorsTest, RefusesTensorsOfAnotherModel) {
  ModelConfig config = SmallConfig();
  const FakeSource with_bias(config);
  config.has_qkv_bias = config.has_output_bias = config.has_ffn_bias = false;
  EXPECT_THAT(CheckTensors(with_bias, config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "f.safetensors: tensor model.decoder.layers.0.fc1.bias: "
                       "the model that config.json describes has no such"));
  config = SmallConfig();
  const FakeSource two_layers(config);
  config.num_layers = 1;
  EXPECT_THAT(CheckTensors(two_layers, config),
              StatusIs(absl::StatusCode::kInvalidArgument, "layers.1."));
}

}  // namespace
}  // namespace hybridserve
