#include "client/bench/bench_table.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/text_table.h"
#include "common/size.h"

namespace hybridserve {
namespace {

std::string Number(const std::optional<Spread>& value, int decimals,
                   double factor = 1) {
  if (!value.has_value()) return "-";
  return absl::StrFormat("%.*f", decimals, value->median * factor);
}

std::string Range(const std::optional<Spread>& value, int decimals) {
  if (!value.has_value()) return "-";
  return absl::StrFormat("%.*f..%.*f", decimals, value->min, decimals,
                         value->max);
}

std::string Percent(const std::optional<Spread>& value) {
  if (!value.has_value()) return "-";
  return absl::StrFormat("%.1f%%", value->median * 100);
}

std::string Size(const std::optional<Spread>& value) {
  if (!value.has_value()) return "-";
  return FormatSize(static_cast<int64_t>(value->median));
}

std::string Ratio(const std::optional<double>& value) {
  return value.has_value() ? absl::StrFormat("%.2fx", *value) : "-";
}

std::string Batch(const BenchSummary& summary) {
  const std::string requested = summary.batch_requested.has_value()
                                    ? absl::StrCat(*summary.batch_requested)
                                    : "auto";
  return absl::StrCat(summary.batch_running, "/", requested);
}

}  // namespace

std::string BenchToTable(const MachineInfo& machine,
                         const std::vector<BenchSummary>& summaries) {
  std::string text =
      absl::StrFormat("%s (%s) on %s; %s, %d cores, %s; %s\n\n", machine.model,
                      machine.dtype, machine.device, machine.cpu, machine.cores,
                      FormatSize(machine.memory_bytes), machine.date);
  TextTable throughput;
  throughput.AddRow({"policy", "batch", "prompt", "output", "tokens/s",
                     "min..max", "to kv", "decode tok/s", "first token s",
                     "per token s"});
  TextTable steps;
  steps.AddRow({"decode step", "prompt", "ACT", "link busy", "compute busy",
                "step ms", "ideal ms", "predicted ms", "efficiency", "weights",
                "KV", "ACT bytes", "write-back"});
  for (const BenchSummary& summary : summaries) {
    throughput.AddRow({summary.policy.Label(), Batch(summary),
                       absl::StrCat(summary.prompt_tokens),
                       absl::StrCat(summary.output_tokens),
                       Number(summary.total_tokens_per_s, 2),
                       Range(summary.total_tokens_per_s, 2),
                       Ratio(RatioToKv(summary, summaries)),
                       Number(summary.decode_tokens_per_s, 2),
                       Number(summary.ttft_s, 3),
                       Number(summary.inter_token_s, 4)});
    steps.AddRow({summary.policy.Label(), absl::StrCat(summary.prompt_tokens),
                  Percent(summary.act_share), Percent(summary.link_busy),
                  Percent(summary.compute_busy),
                  Number(summary.measured_step_s, 2, 1e3),
                  Number(summary.ideal_step_s, 2, 1e3),
                  Number(summary.predicted_step_s, 2, 1e3),
                  Number(summary.overlap_efficiency, 3),
                  Size(summary.weight_bytes), Size(summary.kv_bytes),
                  Size(summary.act_bytes), Size(summary.write_back_bytes)});
  }
  absl::StrAppend(&text, throughput.ToString(), "\n", steps.ToString());
  const bool cut = std::any_of(
      summaries.begin(), summaries.end(),
      [](const BenchSummary& summary) { return summary.decode_steps == 0; });
  if (cut) {
    absl::StrAppend(&text,
                    "\nWhere every column of a row says \"-\", no steps were "
                    "seen in which all requests decode.\n");
  }
  return text;
}

}  // namespace hybridserve
