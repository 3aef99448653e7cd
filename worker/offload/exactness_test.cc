// DESIGN.md 4: a policy changes speed, never output. Tokens, log-probs and the
// bits of every cached key and value are the same whatever the kinds and tiers
// of blocks, ACT that becomes KV, the device's budget, the way between host and
// device, mini-batches, prefill chunks, company, threads, block size or depth
// of the weight ring.

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "common/dtype.h"
#include "common/model_config.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/testing/engine_harness.h"
#include "worker/testing/plan_driver.h"
#include "worker/testing/test_model.h"

namespace hybridserve {
namespace {

constexpr uint32_t kSeed = 7;

// The sequences that every setting must reproduce.
std::vector<DriverRequest> Subjects(int64_t vocab) {
  std::vector<DriverRequest> subjects;
  subjects.push_back({.prompt = RandomTokens(50, vocab, 1), .max_new = 17});
  subjects.push_back({.prompt = RandomTokens(1, vocab, 2),
                      .max_new = 24,
                      .sampling = {.temperature = 0.9,
                                   .top_k = 40,
                                   .top_p = 0.95,
                                   .seed = 99,
                                   .want_log_prob = true,
                                   .top_log_probs = kMaxTopLogProbs}});
  subjects.push_back({.prompt = RandomTokens(21, vocab, 5),
                      .max_new = 20,
                      .sampling = {.temperature = 0.5,
                                   .seed = 100,
                                   .presence_penalty = 0.5,
                                   .frequency_penalty = 0.25,
                                   .repetition_penalty = 1.3,
                                   .logit_bias = {{7, 2.5}, {11, -100}},
                                   .want_log_prob = true,
                                   .top_log_probs = 3}});
  subjects.push_back({.prompt = RandomTokens(33, vocab, 3),
                      .score_targets = RandomTokens(33, vocab, 4)});
  return subjects;
}

// Others that come and go meanwhile; some are cancelled.
std::vector<DriverRequest> Company(int64_t vocab) {
  std::vector<DriverRequest> company;
  for (uint32_t i = 0; i < 5; ++i) {
    company.push_back({.prompt = RandomTokens(3 + 17 * i, vocab, 50 + i),
                       .max_new = static_cast<int>(2 + 3 * i),
                       .first_step = static_cast<int>(2 * i),
                       .cancel_after = i == 3 ? 4 : 0});
  }
  return company;
}

// What a run gave and left in the cache.
struct Outcome {
  std::vector<DriverOutput> outputs;
  // Keys and values of every cached position of every layer, a subject. Empty
  // where nothing is kept.
  std::vector<std::vector<std::vector<char>>> cached;
  StepStats stats;
  int64_t num_converted = 0;
};

Outcome RunSetting(const TestModel& model,
                   const HarnessOptions& harness_options,
                   const DriverOptions& driver_options, bool company) {
  auto harness = EngineHarness::Create(model, harness_options).value();
  std::vector<DriverRequest> requests = Subjects(model.config.vocab_size);
  const size_t num_subjects = requests.size();
  if (company) {
    for (DriverRequest& request : Company(model.config.vocab_size)) {
      requests.push_back(std::move(request));
    }
  }
  Outcome outcome;
  outcome.outputs = harness->Run(requests, driver_options);
  EXPECT_THAT(harness->driver().status(), IsOk());
  outcome.stats = harness->driver().total_stats();
  outcome.num_converted = harness->driver().num_converted();
  for (size_t i = 0; i < num_subjects; ++i) {
    const int64_t positions = static_cast<int64_t>(requests[i].prompt.size()) +
                              std::max(requests[i].max_new - 1, 0);
    std::vector<std::vector<char>>& cached = outcome.cached.emplace_back();
    for (int64_t layer = 0; layer < model.config.num_layers; ++layer) {
      for (int64_t position = 0; position < positions; ++position) {
        const int64_t block = position / harness_options.block_tokens;
        cached.push_back(harness->CachedKv(
            harness->driver().last_tables()[i][block], layer, position));
      }
    }
  }
  outcome.outputs.resize(num_subjects);
  return outcome;
}

void ExpectSame(const Outcome& a, const Outcome& b) {
  for (size_t i = 0; i < a.outputs.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "subject " << i);
    EXPECT_EQ(a.outputs[i].tokens, b.outputs[i].tokens);
    EXPECT_EQ(a.outputs[i].log_probs, b.outputs[i].log_probs);
    EXPECT_EQ(a.outputs[i].top, b.outputs[i].top);
    EXPECT_EQ(a.outputs[i].scores, b.outputs[i].scores);
    ASSERT_EQ(a.cached[i].size(), b.cached[i].size());
    for (size_t row = 0; row < a.cached[i].size(); ++row) {
      const std::vector<char>& kept = b.cached[i][row];
      EXPECT_TRUE(kept.empty() || a.cached[i][row] == kept)
          << "keys and values differ in row " << row;
    }
  }
}

struct ModelKind {
  std::string name;
  ModelConfig config;
  DType dtype = DType::kFloat32;

  friend void PrintTo(const ModelKind& kind, std::ostream* out) {
    *out << kind.name;
  }
};

class ExactnessTest : public testing::TestWithParam<ModelKind> {
 protected:
  ExactnessTest()
      : model_(TestModel::Random(GetParam().config, GetParam().dtype, kSeed)) {}

  HarnessOptions Harness(MemorySetting memory, int threads = 1) const {
    return {
        .dtype = GetParam().dtype, .device_memory = memory, .threads = threads};
  }
  // One memory, keys and values, all at once.
  Outcome Baseline() const {
    return RunSetting(model_, Harness(MemorySetting::Auto()), {}, false);
  }
  // Budgets from the least to where everything fits, and one memory.
  std::vector<MemorySetting> Budgets() const {
    const int64_t least =
        EngineHarness::Create(model_, Harness(MemorySetting::Min()))
            .value()
            ->resources()
            .memory.min_device_bytes;
    return {MemorySetting::Min(),
            MemorySetting::Bytes(least + least / 8),
            MemorySetting::Bytes(2 * least),
            MemorySetting::Bytes(4 * least),
            MemorySetting::Bytes(int64_t{1} << 27),
            MemorySetting::Auto()};
  }

  const TestModel model_;
};

TEST_P(ExactnessTest, KindsAndBudgetsChangeNothing) {
  const Outcome baseline = Baseline();
  for (const MemorySetting& budget : Budgets()) {
    SCOPED_TRACE(testing::Message() << "budget " << budget.bytes);
    for (const double act_ratio : {0.0, 0.37, 1.0}) {
      SCOPED_TRACE(testing::Message() << "act_ratio " << act_ratio);
      ExpectSame(
          baseline,
          RunSetting(model_, Harness(budget),
                     {.act_ratio = act_ratio, .use_device_pool = true}, true));
    }
  }
}

// A prefix that is recomputed from token ids in every step, sampled tokens
// among them, in one chunk or several.
TEST_P(ExactnessTest, RecomputedTokensChangeNothing) {
  const Outcome baseline = Baseline();
  for (const MemorySetting& budget :
       {MemorySetting::Auto(), MemorySetting::Bytes(int64_t{1} << 20),
        MemorySetting::Bytes(int64_t{1} << 27)}) {
    SCOPED_TRACE(testing::Message() << "budget " << budget.bytes);
    HarnessOptions options = Harness(budget);
    options.recompute_tokens = 1024;
    for (const double recompute_ratio : {0.25, 0.6, 1.0}) {
      for (const int chunk_tokens : {7, 64}) {
        SCOPED_TRACE(testing::Message() << "recompute_ratio " << recompute_ratio
                                        << " chunk " << chunk_tokens);
        ExpectSame(baseline, RunSetting(model_, options,
                                        {.act_ratio = 0.37,
                                         .recompute_ratio = recompute_ratio,
                                         .chunk_tokens = chunk_tokens,
                                         .max_mini_batch = 3,
                                         .use_device_pool = true},
                                        true));
      }
    }
  }
}

// One block a step or whatever there is, next to the rows of others, while
// sequences run their prompts, decode, or are cancelled.
TEST_P(ExactnessTest, ActThatBecomesKvChangesNothing) {
  const Outcome baseline = Baseline();
  for (const MemorySetting& budget : Budgets()) {
    SCOPED_TRACE(testing::Message() << "budget " << budget.bytes);
    for (const int convert_blocks : {1, 100}) {
      for (const int chunk_tokens : {7, 64}) {
        SCOPED_TRACE(testing::Message() << "convert " << convert_blocks
                                        << " chunk " << chunk_tokens);
        const Outcome outcome =
            RunSetting(model_, Harness(budget, /*threads=*/2),
                       {.act_ratio = 0.6,
                        .chunk_tokens = chunk_tokens,
                        .use_device_pool = true,
                        .convert_blocks = convert_blocks},
                       true);
        EXPECT_GT(outcome.num_converted, 5);
        ExpectSame(baseline, outcome);
      }
    }
  }
}

TEST_P(ExactnessTest, ActThatBecomesKvChangesNothingInAnySchedule) {
  const Outcome baseline = Baseline();
  for (const int max_mini_batch : {1, 3}) {
    for (const int weight_buffers : {2, 6}) {
      for (const int in_flight : {0, 2}) {
        for (const StepSchedule schedule :
             {StepSchedule::kOverlapped, StepSchedule::kZigZag}) {
          SCOPED_TRACE(testing::Message()
                       << "mini-batch " << max_mini_batch << " buffers "
                       << weight_buffers << " in flight " << in_flight
                       << " schedule " << static_cast<int>(schedule));
          HarnessOptions options =
              Harness(MemorySetting::Bytes(int64_t{1} << 20), /*threads=*/2);
          options.weight_buffers = weight_buffers;
          const Outcome outcome = RunSetting(model_, options,
                                             {.act_ratio = 1,
                                              .chunk_tokens = 20,
                                              .max_mini_batch = max_mini_batch,
                                              .use_device_pool = true,
                                              .convert_blocks = 2,
                                              .in_flight = in_flight,
                                              .schedule = schedule},
                                             true);
          EXPECT_GT(outcome.num_converted, 5);
          ExpectSame(baseline, outcome);
        }
      }
    }
  }
}

// What is written back over a link that lags behind neither comes too late for
// the next step nor finds its staging area filled anew.
TEST_P(ExactnessTest, ASlowLinkChangesNothingOfWhatBecomesKv) {
  const Outcome baseline = Baseline();
  HarnessOptions options =
      Harness(MemorySetting::Bytes(int64_t{1} << 27), /*threads=*/2);
  options.link_bytes_per_second = 10e6;
  for (const int max_mini_batch : {1, 1000}) {
    SCOPED_TRACE(testing::Message() << "mini-batch " << max_mini_batch);
    const Outcome outcome = RunSetting(model_, options,
                                       {.act_ratio = 1,
                                        .chunk_tokens = 32,
                                        .max_mini_batch = max_mini_batch,
                                        .convert_blocks = 3},
                                       true);
    EXPECT_GT(outcome.num_converted, 5);
    ExpectSame(baseline, outcome);
  }
  // Also in steps whose new rows are all of device blocks.
  options.link_bytes_per_second = 2e6;
  ExpectSame(baseline, RunSetting(model_, options,
                                  {.act_ratio = 1,
                                   .chunk_tokens = 1,
                                   .use_device_pool = true,
                                   .convert_blocks = 100},
                                  false));
}

// Whole blocks and rows by a relay of the planned size, or cut anywhere by one
// of some bytes; ACT that becomes KV, too, and whatever the link's speed.
TEST_P(ExactnessTest, AnUnpinnedCacheChangesNothing) {
  const Outcome baseline = Baseline();
  for (const int64_t relay_bytes : {int64_t{0}, int64_t{1000}}) {
    for (const double act_ratio : {0.0, 0.37, 1.0}) {
      for (const StepSchedule schedule :
           {StepSchedule::kOverlapped, StepSchedule::kZigZag}) {
        SCOPED_TRACE(testing::Message()
                     << "relay " << relay_bytes << " act_ratio " << act_ratio
                     << " schedule " << static_cast<int>(schedule));
        HarnessOptions options =
            Harness(MemorySetting::Bytes(int64_t{1} << 20), /*threads=*/2);
        options.unpinned_cache = true;
        options.relay_bytes = relay_bytes;
        const Outcome outcome = RunSetting(model_, options,
                                           {.act_ratio = act_ratio,
                                            .chunk_tokens = 20,
                                            .max_mini_batch = 3,
                                            .use_device_pool = true,
                                            .convert_blocks = 2,
                                            .schedule = schedule},
                                           true);
        EXPECT_EQ(outcome.num_converted > 0, act_ratio > 0);
        ExpectSame(baseline, outcome);
      }
    }
  }
  HarnessOptions options =
      Harness(MemorySetting::Bytes(int64_t{1} << 27), /*threads=*/2);
  options.unpinned_cache = true;
  options.link_bytes_per_second = 10e6;
  const Outcome outcome =
      RunSetting(model_, options, {.act_ratio = 1, .convert_blocks = 3}, true);
  EXPECT_GT(outcome.num_converted, 5);
  ExpectSame(baseline, outcome);
}

TEST_P(ExactnessTest, TheZigZagScheduleChangesNothing) {
  const Outcome baseline = Baseline();
  for (const MemorySetting& budget :
       {MemorySetting::Min(), MemorySetting::Bytes(int64_t{1} << 20),
        MemorySetting::Auto()}) {
    for (const int max_mini_batch : {1, 3}) {
      for (const int weight_buffers : {2, 4}) {
        SCOPED_TRACE(testing::Message()
                     << "budget " << budget.bytes << " mini-batch "
                     << max_mini_batch << " buffers " << weight_buffers);
        HarnessOptions options = Harness(budget, /*threads=*/2);
        options.weight_buffers = weight_buffers;
        ExpectSame(baseline, RunSetting(model_, options,
                                        {.act_ratio = 0.37,
                                         .max_mini_batch = max_mini_batch,
                                         .use_device_pool = true,
                                         .schedule = StepSchedule::kZigZag},
                                        true));
      }
    }
  }
}

TEST_P(ExactnessTest, MiniBatchesChunksAndCompanyChangeNothing) {
  const Outcome baseline = Baseline();
  for (const int chunk_tokens : {1, 7, 16, 64}) {
    for (const int max_mini_batch : {1, 3}) {
      for (const bool company : {false, true}) {
        SCOPED_TRACE(testing::Message()
                     << "chunk " << chunk_tokens << " mini-batch "
                     << max_mini_batch << " company " << company);
        ExpectSame(baseline, RunSetting(model_, Harness(MemorySetting::Min()),
                                        {.act_ratio = 0.37,
                                         .chunk_tokens = chunk_tokens,
                                         .max_mini_batch = max_mini_batch},
                                        company));
      }
    }
  }
}

TEST_P(ExactnessTest, ThreadsRingDepthAndPlanPipeliningChangeNothing) {
  const Outcome baseline = Baseline();
  ExpectSame(baseline, RunSetting(model_, Harness(MemorySetting::Auto(), 2),
                                  {.act_ratio = 1}, true));
  for (const int weight_buffers : {2, 3, 6}) {
    for (const int in_flight : {0, 1, 2}) {
      SCOPED_TRACE(testing::Message() << "buffers " << weight_buffers
                                      << " in flight " << in_flight);
      HarnessOptions options =
          Harness(MemorySetting::Bytes(int64_t{1} << 20), /*threads=*/2);
      options.weight_buffers = weight_buffers;
      ExpectSame(baseline,
                 RunSetting(model_, options,
                            {.act_ratio = 0.5, .in_flight = in_flight}, true));
    }
  }
}

TEST_P(ExactnessTest, BlocksOfOtherSizesGiveTheSameTokens) {
  const Outcome baseline = Baseline();
  for (const int block_tokens : {5, 32}) {
    SCOPED_TRACE(block_tokens);
    HarnessOptions options = Harness(MemorySetting::Min());
    options.block_tokens = block_tokens;
    const Outcome outcome =
        RunSetting(model_, options, {.act_ratio = 0.37}, false);
    // Another block size is another numerics class: bits may differ.
    EXPECT_EQ(outcome.outputs[0].tokens, baseline.outputs[0].tokens);
  }
}

// The settings above really differ: bytes over the link tell.
TEST_P(ExactnessTest, BytesOverTheLinkFollowKindAndBudget) {
  const auto stats = [&](MemorySetting memory, double act_ratio) {
    return RunSetting(model_, Harness(memory), {.act_ratio = act_ratio}, false)
        .stats;
  };
  const StepStats kv = stats(MemorySetting::Min(), 0);
  EXPECT_GT(kv.kv_bytes, 0);
  EXPECT_EQ(kv.act_bytes, 0);
  EXPECT_EQ(kv.rebuilt_tokens, 0);
  const StepStats act = stats(MemorySetting::Min(), 1);
  EXPECT_EQ(act.kv_bytes, 0);
  EXPECT_EQ(2 * act.act_bytes, kv.kv_bytes);
  EXPECT_EQ(2 * act.write_back_bytes, kv.write_back_bytes);
  EXPECT_GT(act.rebuilt_tokens, 0);
  // Whole blocks leave again as KV, and are loaded from then on.
  const Outcome converted = RunSetting(
      model_, Harness(MemorySetting::Min()),
      {.act_ratio = 1, .chunk_tokens = 16, .convert_blocks = 100}, false);
  const int64_t block_bytes =
      int64_t{2} * 16 * model_.config.kv_width() * SizeOf(GetParam().dtype);
  EXPECT_GT(converted.num_converted, 0);
  EXPECT_EQ(converted.stats.write_back_bytes,
            act.write_back_bytes + converted.num_converted *
                                       model_.config.num_layers * block_bytes);
  EXPECT_LT(converted.stats.rebuilt_tokens, act.rebuilt_tokens);
  EXPECT_GT(converted.stats.kv_bytes, 0);
  HarnessOptions recomputing = Harness(MemorySetting::Bytes(int64_t{1} << 20));
  recomputing.recompute_tokens = 1024;
  const StepStats recomputed =
      RunSetting(model_, recomputing, {.recompute_ratio = 1}, false).stats;
  EXPECT_EQ(recomputed.kv_bytes, 0);
  EXPECT_EQ(recomputed.write_back_bytes, 0);
  EXPECT_GT(kv.weight_bytes, 0);
  EXPECT_EQ(stats(MemorySetting::Bytes(int64_t{1} << 27), 0).weight_bytes, 0);
  EXPECT_EQ(stats(MemorySetting::Auto(), 0).weight_bytes, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Models, ExactnessTest,
    testing::Values(
        ModelKind{"OptFloat32", SmallOptConfig(), DType::kFloat32},
        ModelKind{"OptBFloat16", SmallOptConfig(), DType::kBFloat16},
        ModelKind{"LlamaFloat32", SmallLlamaConfig(), DType::kFloat32},
        ModelKind{"LlamaBFloat16", SmallLlamaConfig(), DType::kBFloat16}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hybridserve
