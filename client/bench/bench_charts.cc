#include "client/bench/bench_charts.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/chart/axis.h"
#include "common/size.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

ChartValue ToChart(const Spread& spread) {
  return {.value = spread.median, .low = spread.min, .high = spread.max};
}

std::string BarNote(const BenchSummary& summary,
                    const std::vector<BenchSummary>& all) {
  std::string note = absl::StrCat("batch ", summary.batch_running);
  const auto ratio = RatioToKv(summary, all);
  if (ratio.has_value() && summary.policy.name != "kv") {
    absl::StrAppendFormat(&note, ", %.2fx kv", *ratio);
  }
  return note;
}

BarPanel TotalBars(const std::vector<BenchSummary>& summaries) {
  BarPanel panel = {.title = "Whole run, prompts included",
                    .y_label = "generated tokens/s"};
  for (const BenchSummary& summary : summaries) {
    if (!summary.total_tokens_per_s.has_value()) continue;
    panel.bars.push_back({.label = summary.policy.Label(),
                          .note = BarNote(summary, summaries),
                          .value = ToChart(*summary.total_tokens_per_s),
                          .colour = ColourOf(summary.policy)});
  }
  return panel;
}

BarPanel DecodeBars(const std::vector<BenchSummary>& summaries) {
  BarPanel panel = {.title = "Decode phase",
                    .y_label = "generated tokens/s",
                    .bound_label =
                        "ideal: max(link, compute), each op as "
                        "fast as alone"};
  for (const BenchSummary& summary : summaries) {
    if (!summary.decode_tokens_per_s.has_value()) continue;
    std::string note;
    if (summary.overlap_efficiency.has_value()) {
      note = absl::StrFormat("efficiency %.3f",
                             summary.overlap_efficiency->median);
    } else if (summary.act_share.has_value()) {
      note = absl::StrFormat("%.0f%% ACT", 100 * summary.act_share->median);
    }
    panel.bars.push_back({.label = summary.policy.Label(),
                          .note = note,
                          .value = ToChart(*summary.decode_tokens_per_s),
                          .bound = summary.IdealDecodeTokensPerSecond(),
                          .colour = ColourOf(summary.policy)});
  }
  return panel;
}

// Lines of summaries by `label`, at x as `x_of` says.
template <typename LabelOf, typename XOf>
LinePanel Lines(const std::vector<BenchSummary>& summaries,
                const std::string& x_label, LabelOf label_of, XOf x_of) {
  LinePanel panel = {.title = "Whole run, prompts included",
                     .x_label = x_label,
                     .y_label = "generated tokens/s"};
  for (const BenchSummary& summary : summaries) {
    if (!summary.total_tokens_per_s.has_value()) continue;
    const std::string label = label_of(summary);
    auto line = std::find_if(panel.lines.begin(), panel.lines.end(),
                             [&](const Line& l) { return l.label == label; });
    if (line == panel.lines.end()) {
      panel.lines.push_back({.label = label});
      line = panel.lines.end() - 1;
      line->colour = ColourOf(summary.policy);
    }
    line->points.push_back(
        {x_of(summary), ToChart(*summary.total_tokens_per_s)});
  }
  for (Line& line : panel.lines) {
    std::sort(line.points.begin(), line.points.end(),
              [](const LinePoint& a, const LinePoint& b) { return a.x < b.x; });
  }
  // Fixed shares of one policy share its colour: tell lines apart by it.
  std::set<int> used;
  for (Line& line : panel.lines) {
    while (!used.insert(line.colour).second && used.size() < 7) {
      line.colour = (line.colour + 1) % 7;
    }
  }
  return panel;
}

// Several fixed shares: throughput by share. A policy that chooses its own has
// a point where it chose.
LinePanel ByShare(const std::vector<BenchSummary>& summaries) {
  return Lines(
      summaries, "ACT share of a sequence's blocks",
      [](const BenchSummary& summary) {
        if (summary.policy.act_ratio != "auto") {
          return summary.policy.name + ", share fixed";
        }
        return summary.policy.name == "hybrid" ? "hybrid, share chosen"
                                               : summary.policy.name;
      },
      [](const BenchSummary& summary) {
        double share = summary.act_share.value_or(Spread()).median;
        if (summary.policy.act_ratio != "auto") {
          CHECK(absl::SimpleAtod(summary.policy.act_ratio, &share));
        }
        return share;
      });
}

bool HasFixedShares(const std::vector<BenchSummary>& summaries) {
  std::set<std::string> shares;
  for (const BenchSummary& summary : summaries) {
    if (summary.policy.act_ratio != "auto") {
      shares.insert(summary.policy.act_ratio);
    }
  }
  return shares.size() > 1;
}

bool HasRecomputeRatios(const std::vector<BenchSummary>& summaries) {
  std::set<std::string> ratios;
  for (const BenchSummary& summary : summaries) {
    if (!summary.policy.recompute_ratio.empty()) {
      ratios.insert(summary.policy.recompute_ratio);
    }
  }
  return ratios.size() > 1;
}

double RecomputeRatio(const BenchSummary& summary) {
  double ratio = 0;
  CHECK(absl::SimpleAtod(summary.policy.recompute_ratio, &ratio));
  return ratio;
}

// PAPER.md figure 4: how much longer a decode step takes the more is recomputed
// from token ids, over the step with the least recomputed.
LinePanel ByRecomputeRatio(const std::vector<BenchSummary>& summaries) {
  std::map<double, ChartValue> measured;
  std::map<double, ChartValue> ideal;
  for (const BenchSummary& summary : summaries) {
    if (summary.policy.recompute_ratio.empty()) continue;
    const double ratio = RecomputeRatio(summary);
    if (summary.measured_step_s.has_value()) {
      measured[ratio] = ToChart(*summary.measured_step_s);
    }
    if (summary.ideal_step_s.has_value()) {
      ideal[ratio] = ToChart(*summary.ideal_step_s);
    }
  }
  LinePanel panel = {.title = "Decode phase",
                     .x_label = "share of a sequence recomputed from token ids",
                     .y_label = "time of a step in seconds"};
  double unit = 1;
  if (!measured.empty() && measured.begin()->second.value > 0) {
    unit = measured.begin()->second.value;
    panel.y_label = absl::StrFormat("time of a step, 1 = at share %.3g",
                                    measured.begin()->first);
  }
  const auto add = [&](const std::string& label, int colour,
                       const std::map<double, ChartValue>& values) {
    if (values.empty()) return;
    Line& line = panel.lines.emplace_back(Line{.label = label});
    line.colour = colour;
    for (const auto& [ratio, y] : values) {
      line.points.push_back({ratio,
                             {.value = y.value / unit,
                              .low = y.low / unit,
                              .high = y.high / unit}});
    }
  };
  add("measured", 3, measured);
  add("ideal: max(link, compute)", 4, ideal);
  return panel;
}

std::string Batch(const BenchSummary& summary) {
  if (!summary.batch_requested.has_value()) {
    return "as many requests as the cache holds";
  }
  return absl::StrCat(*summary.batch_requested, " requests");
}

std::vector<std::string> Captions(const MachineInfo& machine,
                                  const BenchSummary& first) {
  std::string link = machine.paced_link ? "Paced link: " : "Link: ";
  absl::StrAppend(
      &link, machine.link_bytes_per_s.has_value()
                 ? absl::StrCat(FormatNumber(*machine.link_bytes_per_s / 1e6),
                                " MB/s measured")
                 : "none, host and device share memory");
  if (machine.paced_link) {
    absl::StrAppend(&link,
                    " (copies are slowed to a set bandwidth: a wall-clock "
                    "model of an accelerator behind a link)");
  }
  return {
      absl::StrFormat("Medians of %d interleaved repeats; whiskers: least and "
                      "most.",
                      first.repeats),
      link + ".",
      absl::StrFormat("%s, %d cores, %s; device: %s. %s, build %s.",
                      machine.cpu, machine.cores,
                      FormatSize(machine.memory_bytes), machine.device,
                      machine.date, machine.build_id.substr(0, 12))};
}

}  // namespace

int ColourOf(const BenchPolicy& policy) {
  static const auto& colours = *new std::map<std::string, int>{
      {"kv", 0},        {"act", 1},     {"hybrid", 2},
      {"recompute", 3}, {"flexgen", 5}, {"resident", 6}};
  const auto found = colours.find(policy.name);
  return found == colours.end() ? 4 : found->second;
}

Figure BenchFigure(const MachineInfo& machine,
                   const std::vector<BenchSummary>& summaries) {
  CHECK(!summaries.empty());
  const BenchSummary& first = summaries.front();
  std::set<int64_t> prompts;
  for (const BenchSummary& summary : summaries) {
    prompts.insert(summary.prompt_tokens);
  }
  Figure figure;
  const std::string what =
      absl::StrCat(machine.model, " (", machine.dtype, "), ", Batch(first));
  if (prompts.size() > 1) {
    figure.title = "Throughput against prompt length";
    figure.subtitle =
        absl::StrCat(what, ", ", first.output_tokens, " tokens out");
    figure.panels.push_back(Lines(
        summaries, "prompt tokens a request",
        [](const BenchSummary& summary) { return summary.policy.Label(); },
        [](const BenchSummary& summary) {
          return static_cast<double>(summary.prompt_tokens);
        }));
  } else {
    figure.subtitle = absl::StrCat(what, ", ", first.prompt_tokens,
                                   " tokens in, ", first.output_tokens, " out");
    if (HasRecomputeRatios(summaries)) {
      figure.title = "Decode latency against recompute ratio";
      figure.panels.push_back(ByRecomputeRatio(summaries));
    } else if (HasFixedShares(summaries)) {
      figure.title = "Throughput against ACT share";
      figure.panels.push_back(ByShare(summaries));
    } else {
      figure.title = "Throughput by cache policy";
      BarPanel totals = TotalBars(summaries);
      if (!totals.bars.empty()) figure.panels.push_back(std::move(totals));
      BarPanel decode = DecodeBars(summaries);
      if (!decode.bars.empty()) figure.panels.push_back(std::move(decode));
    }
  }
  figure.captions = Captions(machine, first);
  return figure;
}

}  // namespace hybridserve
