#include "worker/offload/engine.h"

#include <ostream>
#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/testing/engine_harness.h"
#include "worker/testing/plan_driver.h"
#include "worker/testing/reference_opt.h"
#include "worker/testing/test_model.h"

namespace hybridserve {
namespace {

constexpr uint32_t kSeed = 20261123;

struct Variant {
  std::string name;
  ModelConfig config;

  friend void PrintTo(const Variant& variant, std::ostream* out) {
    *out << variant.name;
  }
};

std::vector<Variant> Variants() {
  std::vector<Variant> variants = {{"PreNorm", SmallOptConfig()}};
  const auto add = [&](const std::string& name, auto change) {
    Variant variant = {name, SmallOptConfig()};
    change(variant.config);
    variants.push_back(variant);
  };
  add("PostNormProjected", [](ModelConfig& config) {
    config.pre_norm = false;
    config.has_final_norm = false;
    config.word_embed_dim = 24;
  });
  add("PreNormProjected",
      [](ModelConfig& config) { config.word_embed_dim = 80; });
  add("NoBias", [](ModelConfig& config) { config.has_bias = false; });
  add("NoAffine", [](ModelConfig& config) { config.has_norm_affine = false; });
  add("NeitherBiasNorAffine", [](ModelConfig& config) {
    config.has_bias = false;
    config.has_norm_affine = false;
  });
  add("NoFinalNorm",
      [](ModelConfig& config) { config.has_final_norm = false; });
  add("Gelu", [](ModelConfig& config) {
    config.activation = ActivationFunction::kGelu;
  });
  add("UntiedHead", [](ModelConfig& config) { config.tied_lm_head = false; });
  add("OddHeads", [](ModelConfig& config) {
    config.num_heads = config.num_kv_heads = 7;
    config.head_dim = 5;
    config.hidden = config.word_embed_dim = 35;
    config.ffn_dim = 51;
  });
  add("OneLayer", [](ModelConfig& config) { config.num_layers = 1; });
  return variants;
}

class EngineVariantTest : public testing::TestWithParam<Variant> {};

// Log-probs of every position against the definition, greedy tokens too.
TEST_P(EngineVariantTest, AgreesWithTheReference) {
  const TestModel model =
      TestModel::Random(GetParam().config, DType::kFloat32, kSeed);
  const std::vector<int32_t> prompt =
      RandomTokens(37, model.config.vocab_size, 1);
  const std::vector<int32_t> targets =
      RandomTokens(37, model.config.vocab_size, 2);
  const auto logits = ReferenceLogits(model, prompt);
  const std::vector<int32_t> greedy = ReferenceGreedy(model, prompt, 20);
  for (const MemorySetting memory :
       {MemorySetting::Auto(), MemorySetting::Min()}) {
    for (const double act_ratio : {0.0, 0.37, 1.0}) {
      SCOPED_TRACE(act_ratio);
      auto harness =
          EngineHarness::Create(model, {.device_memory = memory}).value();
      const std::vector<DriverOutput> outputs = harness->Run(
          {{.prompt = prompt, .max_new = 20},
           {.prompt = prompt, .score_targets = targets}},
          {.act_ratio = act_ratio, .chunk_tokens = 16});
      ASSERT_THAT(harness->driver().status(), IsOk());
      EXPECT_EQ(outputs[0].tokens, greedy);
      ASSERT_EQ(outputs[1].scores.size(), prompt.size());
      for (size_t i = 0; i < prompt.size(); ++i) {
        EXPECT_NEAR(outputs[1].scores[i],
                    ReferenceLogProb(logits[i], targets[i]), 2e-4)
            << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, EngineVariantTest,
                         testing::ValuesIn(Variants()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hybridserve
