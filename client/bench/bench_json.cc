#include "client/bench/bench_json.h"

#include <optional>

#include "client/enum_names.h"

namespace hybridserve {
namespace {

using nlohmann::ordered_json;

ordered_json MedianOf(const std::optional<Spread>& spread) {
  return spread.has_value() ? ordered_json(spread->median) : ordered_json();
}

// One of each repeat, null where it has none; null where there is no `spread`.
ordered_json SamplesOf(const std::optional<Spread>& spread) {
  if (!spread.has_value()) return ordered_json();
  ordered_json samples = ordered_json::array();
  for (const std::optional<double>& sample : spread->samples) {
    samples.push_back(sample.has_value() ? ordered_json(*sample)
                                         : ordered_json());
  }
  return samples;
}

// Null where there is no `spread`.
ordered_json RangeOf(const std::optional<Spread>& spread) {
  if (!spread.has_value()) return ordered_json();
  return {{"min", spread->min}, {"max", spread->max}};
}

ordered_json TextOrNull(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

// By the kind's name.
ordered_json WorkToJson(const std::vector<KindSeconds>& work) {
  ordered_json json = ordered_json::object();
  for (const KindSeconds& kind : work) {
    json[WorkKindName(kind.kind)] = {
        {"pieces", kind.pieces},
        {"units", kind.units},
        {"in_steps_s", kind.in_steps},
        {"alone_s",
         kind.alone.has_value() ? ordered_json(*kind.alone) : ordered_json()}};
  }
  return json;
}

ordered_json SummaryToJson(const BenchSummary& summary,
                           const std::vector<BenchSummary>& all) {
  ordered_json json;
  json["policy"] = summary.policy.name;
  json["act_ratio"] = summary.policy.act_ratio;
  json["recompute_ratio"] = TextOrNull(summary.policy.recompute_ratio);
  json["percent"] = TextOrNull(summary.policy.percent);
  if (summary.policy.relays()) json["relay"] = true;
  json["batch_requested"] = summary.batch_requested.has_value()
                                ? ordered_json(*summary.batch_requested)
                                : ordered_json("auto");
  json["batch_running"] = summary.batch_running;
  json["prompt_tokens"] = summary.prompt_tokens;
  json["output_tokens"] = summary.output_tokens;
  json["repeats"] = summary.repeats;
  ordered_json spread;
  ordered_json samples;
  const auto add = [&](const char* name, const std::optional<Spread>& value) {
    json[name] = MedianOf(value);
    spread[name] = RangeOf(value);
    samples[name] = SamplesOf(value);
  };
  add("total_tokens_per_s", summary.total_tokens_per_s);
  const std::optional<double> ratio = RatioToKv(summary, all);
  json["ratio_to_kv"] =
      ratio.has_value() ? ordered_json(*ratio) : ordered_json();
  add("decode_tokens_per_s", summary.decode_tokens_per_s);
  add("ttft_s", summary.ttft_s);
  add("inter_token_s", summary.inter_token_s);
  json["decode_steps"] = summary.decode_steps;
  json["decode_apart"] = summary.decode_apart;
  add("act_share", summary.act_share);
  add("link_busy", summary.link_busy);
  add("compute_busy", summary.compute_busy);
  add("ideal_step_s", summary.ideal_step_s);
  add("predicted_step_s", summary.predicted_step_s);
  add("measured_step_s", summary.measured_step_s);
  add("overlap_efficiency", summary.overlap_efficiency);
  json["bytes_per_step"] = {{"weight", MedianOf(summary.weight_bytes)},
                            {"kv", MedianOf(summary.kv_bytes)},
                            {"act", MedianOf(summary.act_bytes)},
                            {"write_back", MedianOf(summary.write_back_bytes)}};
  spread["bytes_per_step"] = {
      {"weight", RangeOf(summary.weight_bytes)},
      {"kv", RangeOf(summary.kv_bytes)},
      {"act", RangeOf(summary.act_bytes)},
      {"write_back", RangeOf(summary.write_back_bytes)}};
  json["work_per_step"] = WorkToJson(summary.work);
  json["spread"] = spread;
  json["samples"] = samples;
  json["mix_reason"] = summary.mix_reason;
  return json;
}

}  // namespace

ordered_json MachineToJson(const MachineInfo& machine) {
  return {{"cpu", machine.cpu},
          {"cores", machine.cores},
          {"memory_bytes", machine.memory_bytes},
          {"date", machine.date},
          {"command_line", machine.command_line},
          {"version", machine.version},
          {"build_id", machine.build_id},
          {"device", machine.device},
          {"model", machine.model},
          {"dtype", machine.dtype},
          {"link_bytes_per_s", machine.link_bytes_per_s.has_value()
                                   ? ordered_json(*machine.link_bytes_per_s)
                                   : ordered_json()},
          {"paced_link", machine.paced_link}};
}

ordered_json BenchToJson(const MachineInfo& machine,
                         const std::vector<BenchSummary>& summaries) {
  ordered_json results = ordered_json::array();
  for (const BenchSummary& summary : summaries) {
    results.push_back(SummaryToJson(summary, summaries));
  }
  return {{"machine", MachineToJson(machine)}, {"results", results}};
}

}  // namespace hybridserve
