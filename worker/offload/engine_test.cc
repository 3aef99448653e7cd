#include "worker/offload/engine.h"

#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/cache/table_hash.h"
#include "common/clock.h"
#include "common/rotary_frequencies.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/testing/engine_harness.h"
#include "worker/testing/plan_driver.h"
#include "worker/testing/reference_model.h"
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
  add("NoBias", [](ModelConfig& config) {
    config.has_qkv_bias = config.has_output_bias = config.has_ffn_bias = false;
  });
  add("NoAffine", [](ModelConfig& config) {
    config.has_norm_gain = config.has_norm_bias = false;
  });
  add("NeitherBiasNorAffine", [](ModelConfig& config) {
    config.has_qkv_bias = config.has_output_bias = config.has_ffn_bias = false;
    config.has_norm_gain = config.has_norm_bias = false;
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
  add("Llama", [](ModelConfig& config) { config = SmallLlamaConfig(); });
  add("LlamaOddHeads", [](ModelConfig& config) {
    config = SmallLlamaConfig();
    config.num_heads = config.num_kv_heads = 5;
    config.head_dim = 6;  // Beside hidden / num_heads.
    config.hidden = config.word_embed_dim = 44;
    config.ffn_dim = 51;
    config.rotary_frequencies = RotaryFrequencies(6, 10000, {});
  });
  // As Qwen2: keys and values are shared, so ACT pays nothing.
  add("GroupedQueries", [](ModelConfig& config) {
    config = SmallLlamaConfig();
    config.num_heads = 6;
    config.num_kv_heads = 2;
    config.head_dim = 8;
    config.has_qkv_bias = true;
    config.tied_lm_head = true;
    config.rotary_frequencies = RotaryFrequencies(8, 1e6, {.factor = 2});
  });
  add("AllBiasesAndAGate", [](ModelConfig& config) {
    config = SmallLlamaConfig();
    config.has_qkv_bias = config.has_output_bias = config.has_ffn_bias = true;
  });
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
      if (act_ratio > 0 && !model.config.act_pays()) continue;
      SCOPED_TRACE(act_ratio);
      auto harness =
          EngineHarness::Create(model, {.device_memory = memory}).value();
      const std::vector<DriverOutput> outputs =
          harness->Run({{.prompt = prompt, .max_new = 20},
                        {.prompt = prompt, .score_targets = targets}},
                       {.act_ratio = act_ratio, .chunk_tokens = 16});
      ASSERT_THAT(harness->driver().status(), IsOk());
      EXPECT_EQ(outputs[0].tokens, greedy);
      ASSERT_EQ(outputs[1].scores.size(), prompt.size());
      for (size_t i = 0; i < prompt.size(); ++i) {
        const TokenScore& score = outputs[1].scores[i];
        EXPECT_NEAR(score.log_prob, ReferenceLogProb(logits[i], targets[i]),
                    2e-4)
            << i;
        const auto top = std::max_element(logits[i].begin(), logits[i].end());
        EXPECT_EQ(score.top_token, top - logits[i].begin()) << i;
        EXPECT_NEAR(score.top_log_prob,
                    ReferenceLogProb(logits[i], score.top_token), 2e-4)
            << i;
      }
    }
  }
}

// Collects results; waits for them.
class Results {
 public:
  StepCollector::ResultCallback Callback() {
    return [this](StepResult result) {
      const absl::MutexLock lock(&mutex_);
      results_.push_back(std::move(result));
    };
  }
  // The first `count` results, once they are there.
  std::vector<StepResult> Await(size_t count) {
    const absl::MutexLock lock(&mutex_);
    const auto arrived = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return results_.size() >= count;
    };
    mutex_.Await(absl::Condition(&arrived));
    return results_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<StepResult> results_ ABSL_GUARDED_BY(mutex_);
};

// An engine of its own over a harness's resources.
class EngineTest : public testing::Test {
 protected:
  EngineTest()
      : model_(TestModel::Random(SmallOptConfig(), DType::kFloat32, kSeed)),
        harness_(EngineHarness::Create(model_,
                                       {.device_memory = MemorySetting::Min()})
                     .value()),
        engine_(Engine::Create(harness_->resources(), kEpoch, clock_).value()) {
    engine_->Start(results_.Callback());
  }
  ~EngineTest() override { engine_->Stop(); }

  static constexpr uint64_t kEpoch = 5;

  // A plan that starts sequence `id` on the half-slots from `first_slot` on.
  StepPlan Start(uint64_t step, uint64_t id, int first_slot) const {
    StepPlan plan;
    plan.fence = {.term = 1, .epoch = kEpoch, .step = step};
    const std::vector<BlockRef> blocks = {{CacheKind::kKv, Tier::kHost,
                                           HalfSlot(first_slot),
                                           HalfSlot(first_slot + 1)}};
    plan.table_updates = {{.sequence = SequenceId(id),
                           .blocks = blocks,
                           .table_hash = BlockTableHash(blocks)}};
    plan.sequences = {{.sequence = SequenceId(id),
                       .new_tokens = {1, 2, 3},
                       .num_new = 3,
                       .sample = true}};
    plan.mini_batches = {{.sequences = {0}}};
    return plan;
  }

  const SystemClock clock_;
  const TestModel model_;
  const std::unique_ptr<EngineHarness> harness_;
  Results results_;
  const std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, EveryPlanPastTheFenceGetsOneResultInOrder) {
  StepPlan wrong = Start(2, 2, 0);  // On slots in use.
  StepPlan nothing;
  nothing.fence = {.term = 1, .epoch = kEpoch, .step = 4};
  engine_->Submit(Start(1, 1, 0));
  engine_->Submit(std::move(wrong));
  engine_->Submit(Start(3, 3, 2));
  engine_->Submit(std::move(nothing));
  const std::vector<StepResult> results = results_.Await(4);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(results[i].fence.step, i + 1);
  EXPECT_THAT(results[0].status, IsOk());
  EXPECT_THAT(results[1].status,
              StatusIs(absl::StatusCode::kInvalidArgument, "in use"));
  EXPECT_TRUE(results[1].sequences.empty());
  EXPECT_THAT(results[2].status, IsOk());
  EXPECT_EQ(results[2].sequences[0].token, results[0].sequences[0].token);
  EXPECT_THAT(results[3].status, IsOk());
  EXPECT_TRUE(results[3].sequences.empty());
}

TEST_F(EngineTest, PlansOutsideTheFenceAreDropped) {
  StepPlan stale = Start(1, 1, 0);
  stale.fence.epoch = kEpoch - 1;
  StepPlan early = Start(2, 1, 0);
  engine_->Submit(std::move(stale));
  engine_->Submit(std::move(early));
  engine_->Submit(Start(1, 2, 0));
  StepPlan stranger = Start(2, 3, 2);
  stranger.fence.term = 2;
  engine_->Submit(std::move(stranger));
  engine_->Submit(Start(2, 4, 2));
  const std::vector<StepResult> results = results_.Await(2);
  EXPECT_EQ(results[0].sequences[0].sequence, SequenceId(2));
  EXPECT_EQ(results[1].sequences[0].sequence, SequenceId(4));
}

TEST_F(EngineTest, ResetForgetsSequencesAndTheirSlots) {
  engine_->Submit(Start(1, 1, 0));
  results_.Await(1);
  engine_->Reset(kEpoch + 1);
  StepPlan plan = Start(1, 1, 0);
  plan.fence.epoch = kEpoch + 1;
  plan.fence.term = 9;
  engine_->Submit(std::move(plan));
  const std::vector<StepResult> results = results_.Await(2);
  EXPECT_THAT(results[1].status, IsOk());
  EXPECT_EQ(results[1].sequences[0].token, results[0].sequences[0].token);
}

TEST_F(EngineTest, StopDeliversWhatBeganAndDropsTheRest) {
  engine_->Submit(Start(1, 1, 0));
  engine_->Submit(Start(2, 2, 2));
  engine_->Stop();  // Whatever began is delivered, then nothing more.
  engine_->Submit(Start(3, 3, 4));
}

TEST_F(EngineTest, StatsTellWhatTheStepCost) {
  engine_->Submit(Start(1, 1, 0));
  const StepStats stats = results_.Await(1)[0].stats;
  EXPECT_GT(stats.wall, absl::ZeroDuration());
  EXPECT_GT(stats.compute_busy, absl::ZeroDuration());
  EXPECT_GT(stats.link_busy, absl::ZeroDuration());
  EXPECT_EQ(stats.weight_bytes, 3 * harness_->resources().plan.layer.bytes +
                                    harness_->resources().plan.head.bytes);
  EXPECT_EQ(stats.kv_bytes, 0);
  EXPECT_EQ(stats.write_back_bytes, int64_t{3} * 3 * 2 * 48 * 4);
  EXPECT_EQ(stats.mini_batches, 1);
}

INSTANTIATE_TEST_SUITE_P(Models, EngineVariantTest,
                         testing::ValuesIn(Variants()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hybridserve
