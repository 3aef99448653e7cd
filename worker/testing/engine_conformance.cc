#include "worker/testing/engine_conformance.h"

#include <cstddef>
#include <cstdint>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "worker/testing/test_model.h"

namespace hybridserve {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

constexpr uint32_t kSeed = 7;
// Of log-probs, against another order of adding.
constexpr float kTolerance = 1e-4F;
constexpr int64_t kMuchMemory = int64_t{1} << 27;

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

// The same ranks; which of two nearly equal ids has the better one may differ.
void ExpectTopNear(const std::vector<std::vector<TopToken>>& got,
                   const std::vector<std::vector<TopToken>>& cpu) {
  ASSERT_EQ(got.size(), cpu.size());
  for (size_t t = 0; t < cpu.size(); ++t) {
    ASSERT_EQ(got[t].size(), cpu[t].size());
    for (size_t k = 0; k < cpu[t].size(); ++k) {
      EXPECT_NEAR(got[t][k].log_prob, cpu[t][k].log_prob, kTolerance);
    }
    if (!cpu[t].empty()) {
      EXPECT_EQ(got[t][0].token, cpu[t][0].token);
    }
  }
}

// The tokens of the cpu, and its numbers but for rounding.
void ExpectNear(const std::vector<DriverOutput>& got,
                const std::vector<DriverOutput>& cpu) {
  ASSERT_EQ(got.size(), cpu.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].tokens, cpu[i].tokens);
    EXPECT_THAT(got[i].log_probs,
                Pointwise(FloatNear(kTolerance), cpu[i].log_probs));
    ExpectTopNear(got[i].top, cpu[i].top);
    ASSERT_EQ(got[i].scores.size(), cpu[i].scores.size());
    for (size_t s = 0; s < cpu[i].scores.size(); ++s) {
      const TokenScore& score = got[i].scores[s];
      EXPECT_NEAR(score.log_prob, cpu[i].scores[s].log_prob, kTolerance);
      EXPECT_NEAR(score.top_log_prob, cpu[i].scores[s].top_log_prob,
                  kTolerance);
      EXPECT_EQ(score.top_token, cpu[i].scores[s].top_token);
    }
  }
}

void ExpectSameBits(const std::vector<DriverOutput>& got,
                    const std::vector<DriverOutput>& first) {
  ASSERT_EQ(got.size(), first.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].tokens, first[i].tokens);
    EXPECT_EQ(got[i].log_probs, first[i].log_probs);
    EXPECT_EQ(got[i].top, first[i].top);
    EXPECT_EQ(got[i].scores, first[i].scores);
  }
}

}  // namespace

std::vector<DriverOutput> EngineConformance::Run(
    const HarnessOptions& options, const DriverOptions& driver) const {
  const ModelConfig config = GetParam().architecture == Architecture::kOpt
                                 ? SmallOptConfig()
                                 : SmallLlamaConfig();
  auto harness = EngineHarness::Create(
      TestModel::Random(config, options.dtype, kSeed), options);
  EXPECT_THAT(harness.status(), IsOk());
  auto outputs = (*harness)->Run(Requests(config.vocab_size), driver);
  EXPECT_THAT((*harness)->driver().status(), IsOk());
  return outputs;
}

HarnessOptions EngineConformance::OnDevice(MemorySetting memory,
                                           bool batch_invariant) const {
  HarnessOptions options = {.device_memory = memory, .recompute_tokens = 256};
  if (GetParam().make_device) {
    options.make_device = [make = GetParam().make_device, batch_invariant] {
      return make(batch_invariant);
    };
  }
  return options;
}

TEST_P(EngineConformance, GivesTheCpusTokensWhateverThePolicy) {
  const std::vector<DriverOutput> cpu = Run({}, {});
  for (const MemorySetting& memory :
       {MemorySetting::Min(), MemorySetting::Bytes(kMuchMemory)}) {
    std::vector<DriverOutput> first;
    for (const DriverOptions& driver : Policies()) {
      // The least memory has no room for rows to recompute.
      const bool least = memory.choice == MemorySetting::Choice::kMin;
      if (least && driver.recompute_ratio > 0) continue;
      SCOPED_TRACE(testing::Message()
                   << "memory " << memory.bytes << " act " << driver.act_ratio
                   << " recompute " << driver.recompute_ratio);
      const std::vector<DriverOutput> got =
          Run(OnDevice(memory, /*batch_invariant=*/true), driver);
      ExpectNear(got, cpu);
      if (first.empty()) first = got;
      ExpectSameBits(got, first);
    }
  }
}

TEST_P(EngineConformance, GivesThemWithoutBatchInvarianceButForRounding) {
  const std::vector<DriverOutput> cpu = Run({}, {});
  for (const DriverOptions& driver : Policies()) {
    SCOPED_TRACE(driver.act_ratio);
    ExpectNear(Run(OnDevice(MemorySetting::Bytes(kMuchMemory),
                            /*batch_invariant=*/false),
                   driver),
               cpu);
  }
}

TEST_P(EngineConformance, GivesTheSameBitsInHalfPrecision) {
  for (const DType dtype : GetParam().half_dtypes) {
    HarnessOptions options =
        OnDevice(MemorySetting::Bytes(kMuchMemory), /*batch_invariant=*/true);
    options.dtype = dtype;
    std::vector<DriverOutput> first;
    for (const DriverOptions& driver : Policies()) {
      SCOPED_TRACE(testing::Message()
                   << Name(dtype) << " act " << driver.act_ratio);
      const std::vector<DriverOutput> got = Run(options, driver);
      if (first.empty()) first = got;
      ExpectSameBits(got, first);
    }
  }
}

}  // namespace hybridserve
