// The engine on the cuda backend's very code, on the emulated device: the
// tokens that the cpu gives, the same bits whatever the policy, and nothing
// that the emulation objects to, in several orders of execution.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model_config.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/emulation/emulated_device.h"
#include "tests/emulation/fault_log.h"
#include "worker/device/cuda/cuda_device.h"
#include "worker/testing/engine_harness.h"
#include "worker/testing/plan_driver.h"
#include "worker/testing/test_model.h"

namespace hybridserve {
namespace {

using emulation::EmulatedDevice;
using emulation::TakeFaults;
using ::testing::FloatNear;
using ::testing::IsEmpty;
using ::testing::Pointwise;

constexpr uint32_t kSeed = 7;
// Of log-probs, against another order of adding.
constexpr float kTolerance = 1e-4F;

std::vector<DriverRequest> Requests(int64_t vocab) {
  std::vector<DriverRequest> requests;
  requests.push_back({.prompt = RandomTokens(40, vocab, 1),
                      .max_new = 8,
                      .sampling = {.want_log_prob = true, .top_log_probs = 4}});
  requests.push_back({.prompt = RandomTokens(1, vocab, 2),
                      .max_new = 12,
                      .sampling = {.temperature = 0.9,
                                   .top_k = 40,
                                   .top_p = 0.95,
                                   .seed = 99,
                                   .want_log_prob = true,
                                   .top_log_probs = kMaxTopLogProbs}});
  requests.push_back({.prompt = RandomTokens(12, vocab, 5),
                      .max_new = 14,
                      .sampling = {.presence_penalty = 0.75,
                                   .frequency_penalty = 0.5,
                                   .repetition_penalty = 1.2,
                                   .logit_bias = {{3, 1.5}, {9, -100}},
                                   .want_log_prob = true}});
  requests.push_back({.prompt = RandomTokens(20, vocab, 3),
                      .score_targets = RandomTokens(20, vocab, 4)});
  return requests;
}

std::vector<DriverOptions> Policies() {
  return {{.act_ratio = 0.0},
          {.act_ratio = 0.4, .chunk_tokens = 7, .max_mini_batch = 1},
          {.act_ratio = 1.0, .use_device_pool = true},
          {.act_ratio = 0.3, .recompute_ratio = 0.5}};
}

// A model, and a seed of the orders in which the emulated device runs.
using Setting = std::tuple<Architecture, uint64_t>;

class EngineOnCudaTest : public ::testing::TestWithParam<Setting> {
 protected:
  EngineOnCudaTest()
      : model_(TestModel::Random(std::get<0>(GetParam()) == Architecture::kOpt
                                     ? SmallOptConfig()
                                     : SmallLlamaConfig(),
                                 DType::kFloat32, kSeed)) {
    TakeFaults();
    EmulatedDevice::Get().SetSeed(std::get<1>(GetParam()));
  }
  ~EngineOnCudaTest() override {
    EmulatedDevice::Get().ReportLeaks();
    EXPECT_THAT(TakeFaults(), IsEmpty());
  }

  std::vector<DriverOutput> Run(const HarnessOptions& options,
                                const DriverOptions& driver) const {
    auto harness = EngineHarness::Create(model_, options);
    EXPECT_THAT(harness.status(), IsOk());
    auto outputs = (*harness)->Run(Requests(model_.config.vocab_size), driver);
    EXPECT_THAT((*harness)->driver().status(), IsOk());
    return outputs;
  }

  static HarnessOptions OnCuda(MemorySetting memory, bool batch_invariant) {
    return {.device_memory = memory,
            .recompute_tokens = 256,
            .make_device = [batch_invariant] {
              return CreateCudaDevice({.batch_invariant = batch_invariant,
                                       .cublas_libraries = {""}});
            }};
  }

  // The same ranks; which of two nearly equal ids has the better one may
  // differ.
  static void ExpectTopNear(const std::vector<std::vector<TopToken>>& cuda,
                            const std::vector<std::vector<TopToken>>& cpu) {
    ASSERT_EQ(cuda.size(), cpu.size());
    for (size_t t = 0; t < cpu.size(); ++t) {
      ASSERT_EQ(cuda[t].size(), cpu[t].size());
      for (size_t k = 0; k < cpu[t].size(); ++k) {
        EXPECT_NEAR(cuda[t][k].log_prob, cpu[t][k].log_prob, kTolerance);
      }
      if (!cpu[t].empty()) {
        EXPECT_EQ(cuda[t][0].token, cpu[t][0].token);
      }
    }
  }

  // The tokens of the cpu, and its numbers but for rounding.
  void ExpectNear(const std::vector<DriverOutput>& cuda,
                  const std::vector<DriverOutput>& cpu) {
    ASSERT_EQ(cuda.size(), cpu.size());
    for (size_t i = 0; i < cuda.size(); ++i) {
      EXPECT_EQ(cuda[i].tokens, cpu[i].tokens);
      EXPECT_THAT(cuda[i].log_probs,
                  Pointwise(FloatNear(kTolerance), cpu[i].log_probs));
      ExpectTopNear(cuda[i].top, cpu[i].top);
      ASSERT_EQ(cuda[i].scores.size(), cpu[i].scores.size());
      for (size_t s = 0; s < cpu[i].scores.size(); ++s) {
        const TokenScore& score = cuda[i].scores[s];
        EXPECT_NEAR(score.log_prob, cpu[i].scores[s].log_prob, kTolerance);
        EXPECT_NEAR(score.top_log_prob, cpu[i].scores[s].top_log_prob,
                    kTolerance);
        EXPECT_EQ(score.top_token, cpu[i].scores[s].top_token);
      }
    }
  }

  const TestModel model_;
};

TEST_P(EngineOnCudaTest, GivesTheCpusTokensWhateverThePolicy) {
  const std::vector<DriverOutput> cpu = Run({}, {});
  for (const MemorySetting& memory :
       {MemorySetting::Min(), MemorySetting::Bytes(int64_t{1} << 27)}) {
    std::vector<DriverOutput> first;
    for (const DriverOptions& driver : Policies()) {
      // The least memory has no room for rows to recompute.
      const bool least = memory.choice == MemorySetting::Choice::kMin;
      if (least && driver.recompute_ratio > 0) continue;
      SCOPED_TRACE(testing::Message()
                   << "memory " << memory.bytes << " act " << driver.act_ratio
                   << " recompute " << driver.recompute_ratio);
      const std::vector<DriverOutput> cuda = Run(OnCuda(memory, true), driver);
      ExpectNear(cuda, cpu);
      if (first.empty()) first = cuda;
      for (size_t i = 0; i < cuda.size(); ++i) {
        EXPECT_EQ(cuda[i].log_probs, first[i].log_probs);
        EXPECT_EQ(cuda[i].top, first[i].top);
        EXPECT_EQ(cuda[i].scores, first[i].scores);
      }
    }
  }
}

TEST_P(EngineOnCudaTest, GivesThemWithoutBatchInvarianceButForRounding) {
  const std::vector<DriverOutput> cpu = Run({}, {});
  for (const DriverOptions& driver : Policies()) {
    SCOPED_TRACE(driver.act_ratio);
    ExpectNear(
        Run(OnCuda(MemorySetting::Bytes(int64_t{1} << 27), false), driver),
        cpu);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Seeds, EngineOnCudaTest,
    ::testing::Combine(::testing::Values(Architecture::kOpt),
                       ::testing::Range<uint64_t>(0, 3)));
INSTANTIATE_TEST_SUITE_P(
    Llama, EngineOnCudaTest,
    ::testing::Combine(::testing::Values(Architecture::kLlama),
                       ::testing::Values<uint64_t>(0)));

}  // namespace
}  // namespace hybridserve
