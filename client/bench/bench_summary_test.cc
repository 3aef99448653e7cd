#include "client/bench/bench_summary.h"

#include <optional>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

BenchResult ResultOf(const std::string& policy, double tokens_per_s) {
  BenchResult result = {.policy = {policy}, .prompt_tokens = 16};
  result.passes.resize(3);
  for (PassResult& pass : result.passes) {
    pass.running = 4;
    pass.total_tokens_per_s = tokens_per_s;
  }
  return result;
}

TEST(SummarizeTest, TakesMediansAndSpreadsOverRepeats) {
  BenchResult result = ResultOf("kv", 10);
  result.passes[1].total_tokens_per_s = 14;
  result.passes[2].total_tokens_per_s = 12;
  result.passes[0].decode = {.steps = 5, .measured_seconds = 0.5};
  result.passes[2].decode = {
      .steps = 7, .measured_seconds = 0.25, .ideal_seconds = 0.2};
  result.passes[1].running = 3;
  const BenchSummary summary = Summarize(result);
  EXPECT_EQ(summary.repeats, 3);
  EXPECT_EQ(summary.batch_running, 3);
  EXPECT_EQ(summary.decode_steps, 12);
  EXPECT_EQ(summary.total_tokens_per_s->median, 12);
  EXPECT_EQ(summary.total_tokens_per_s->min, 10);
  EXPECT_EQ(summary.total_tokens_per_s->max, 14);
  EXPECT_EQ(summary.measured_step_s->median, 0.375);
  EXPECT_EQ(summary.ideal_step_s->median, 0.2);
  EXPECT_FALSE(summary.predicted_step_s.has_value());
  EXPECT_DOUBLE_EQ(summary.IdealDecodeTokensPerSecond().value(), 15);
}

TEST(SummarizeTest, KnowsNoStepsWithoutADecodePhase) {
  const BenchSummary summary = Summarize(ResultOf("act", 3));
  EXPECT_EQ(summary.decode_steps, 0);
  EXPECT_FALSE(summary.measured_step_s.has_value());
  EXPECT_FALSE(summary.weight_bytes.has_value());
  EXPECT_FALSE(summary.IdealDecodeTokensPerSecond().has_value());
}

TEST(RatioToKvTest, ComparesAtTheSamePromptLength) {
  std::vector<BenchSummary> all = {Summarize(ResultOf("kv", 10)),
                                   Summarize(ResultOf("hybrid", 15))};
  EXPECT_DOUBLE_EQ(RatioToKv(all[1], all).value(), 1.5);
  EXPECT_DOUBLE_EQ(RatioToKv(all[0], all).value(), 1);
  all[1].prompt_tokens = 32;
  EXPECT_FALSE(RatioToKv(all[1], all).has_value());
}

}  // namespace
}  // namespace hybridserve
