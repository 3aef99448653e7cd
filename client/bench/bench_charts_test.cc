#include "client/bench/bench_charts.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

BenchSummary SummaryOf(const std::string& policy, const std::string& share,
                       int64_t prompt_tokens, double tokens_per_s) {
  BenchSummary summary = {.policy = {policy, share},
                          .batch_requested = 4,
                          .batch_running = 4,
                          .prompt_tokens = prompt_tokens,
                          .output_tokens = 8,
                          .repeats = 3};
  summary.total_tokens_per_s = {
      {.median = tokens_per_s, .min = tokens_per_s, .max = tokens_per_s}};
  return summary;
}

TEST(BenchFigureTest, DrawsBarsWithTheIdealBoundMarked) {
  std::vector<BenchSummary> summaries = {SummaryOf("kv", "auto", 32, 10),
                                         SummaryOf("act", "auto", 32, 12)};
  summaries[0].decode_tokens_per_s = {{.median = 20, .min = 19, .max = 21}};
  summaries[0].ideal_step_s = {{.median = 0.125, .min = 0.125, .max = 0.125}};
  const Figure figure = BenchFigure(MachineInfo(), summaries);
  ASSERT_EQ(figure.panels.size(), 2);
  const auto& total = std::get<BarPanel>(figure.panels[0]);
  ASSERT_EQ(total.bars.size(), 2);
  EXPECT_EQ(total.bars[1].label, "act");
  EXPECT_EQ(total.bars[1].value.value, 12);
  EXPECT_EQ(total.bars[1].note, "batch 4, 1.20x kv");
  EXPECT_NE(total.bars[0].colour, total.bars[1].colour);
  const auto& decode = std::get<BarPanel>(figure.panels[1]);
  ASSERT_EQ(decode.bars.size(), 1);
  EXPECT_EQ(decode.bars[0].value.low, 19);
  EXPECT_EQ(decode.bars[0].bound, 32);
}

TEST(BenchFigureTest, DrawsALineAPolicyOverPromptLengths) {
  const Figure figure = BenchFigure(
      MachineInfo(),
      {SummaryOf("kv", "auto", 512, 10), SummaryOf("act", "auto", 512, 12),
       SummaryOf("kv", "auto", 128, 20), SummaryOf("act", "auto", 128, 25)});
  ASSERT_EQ(figure.panels.size(), 1);
  const auto& panel = std::get<LinePanel>(figure.panels[0]);
  ASSERT_EQ(panel.lines.size(), 2);
  EXPECT_EQ(panel.lines[0].label, "kv");
  ASSERT_EQ(panel.lines[0].points.size(), 2);
  EXPECT_EQ(panel.lines[0].points[0].x, 128);
  EXPECT_EQ(panel.lines[0].points[0].y.value, 20);
  EXPECT_EQ(panel.lines[0].points[1].x, 512);
}

TEST(BenchFigureTest, DrawsFixedSharesOverTheShare) {
  BenchSummary chosen = SummaryOf("hybrid", "auto", 32, 13);
  chosen.act_share = {{.median = 0.75, .min = 0.75, .max = 0.75}};
  const Figure figure =
      BenchFigure(MachineInfo(), {SummaryOf("hybrid", "0.5", 32, 12),
                                  SummaryOf("hybrid", "0.25", 32, 11), chosen});
  const auto& panel = std::get<LinePanel>(figure.panels.at(0));
  ASSERT_EQ(panel.lines.size(), 2);
  ASSERT_EQ(panel.lines[0].points.size(), 2);
  EXPECT_EQ(panel.lines[0].points[0].x, 0.25);
  ASSERT_EQ(panel.lines[1].points.size(), 1);
  EXPECT_EQ(panel.lines[1].points[0].x, 0.75);
  EXPECT_NE(panel.lines[0].colour, panel.lines[1].colour);
}

TEST(BenchFigureTest, DrawsStepsOverTheRecomputeRatio) {
  std::vector<BenchSummary> summaries;
  for (const auto& [ratio, seconds] :
       {std::pair{"0.5", 3.0}, {"0", 2.0}, {"1", 8.0}}) {
    BenchSummary& summary =
        summaries.emplace_back(SummaryOf("recompute", "auto", 32, 10));
    summary.policy.recompute_ratio = ratio;
    summary.measured_step_s = {
        {.median = seconds, .min = seconds / 2, .max = seconds * 2}};
  }
  summaries.push_back(SummaryOf("kv", "auto", 32, 12));
  const Figure figure = BenchFigure(MachineInfo(), summaries);
  EXPECT_EQ(figure.title, "Decode latency against recompute ratio");
  ASSERT_EQ(figure.panels.size(), 1);
  const auto& panel = std::get<LinePanel>(figure.panels[0]);
  ASSERT_EQ(panel.lines.size(), 1);
  ASSERT_EQ(panel.lines[0].points.size(), 3);
  EXPECT_EQ(panel.lines[0].points[0].x, 0);
  EXPECT_EQ(panel.lines[0].points[0].y.value, 1);
  EXPECT_EQ(panel.lines[0].points[1].y.value, 1.5);
  EXPECT_EQ(panel.lines[0].points[2].y.high, 8);
}

TEST(BenchFigureTest, SaysThatALinkIsPaced) {
  const std::vector<BenchSummary> summaries = {SummaryOf("kv", "auto", 32, 1)};
  const auto says_so = [&](bool paced) {
    const Figure figure =
        BenchFigure({.link_bytes_per_s = 2e8, .paced_link = paced}, summaries);
    for (const std::string& caption : figure.captions) {
      if (caption.find("Paced link: 200 MB/s") == 0) return true;
    }
    return false;
  };
  EXPECT_TRUE(says_so(true));
  EXPECT_FALSE(says_so(false));
}

}  // namespace
}  // namespace hybridserve
