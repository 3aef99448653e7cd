#include "client/bench/bench_summary.h"

#include <algorithm>
#include <limits>

namespace hybridserve {
namespace {

// Over the repeats: `get` of each.
template <typename Get>
std::optional<Spread> OverPasses(const BenchResult& result, Get get) {
  std::vector<std::optional<double>> values;
  values.reserve(result.passes.size());
  for (const PassResult& pass : result.passes) values.push_back(get(pass));
  return SpreadOf(values);
}

// The same of the decode phases; `get` of each that there is.
template <typename Get>
std::optional<Spread> OverDecode(const BenchResult& result, Get get) {
  return OverPasses(result,
                    [&](const PassResult& pass) -> std::optional<double> {
                      if (!pass.decode.has_value()) return std::nullopt;
                      return get(*pass.decode);
                    });
}

// Averages over the repeats that had a decode phase.
std::vector<KindSeconds> MeanWork(const BenchResult& result) {
  std::vector<KindSeconds> mean;
  double phases = 0;
  for (const PassResult& pass : result.passes) {
    if (!pass.decode.has_value()) continue;
    ++phases;
    for (const KindSeconds& work : pass.decode->work) {
      const auto same = std::find_if(mean.begin(), mean.end(),
                                     [&work](const KindSeconds& other) {
                                       return other.kind == work.kind;
                                     });
      if (same == mean.end()) {
        mean.push_back(work);
        continue;
      }
      same->pieces += work.pieces;
      same->units += work.units;
      same->in_steps += work.in_steps;
      if (same->alone.has_value() && work.alone.has_value()) {
        *same->alone += *work.alone;
      } else {
        same->alone.reset();
      }
    }
  }
  for (KindSeconds& kind : mean) kind.ScaleBy(1 / phases);
  return mean;
}

}  // namespace

BenchSummary Summarize(const BenchResult& result) {
  BenchSummary summary;
  summary.policy = result.policy;
  summary.batch_requested = result.batch_requested;
  summary.prompt_tokens = result.prompt_tokens;
  summary.output_tokens = result.output_tokens;
  summary.repeats = static_cast<int64_t>(result.passes.size());
  int64_t running = std::numeric_limits<int64_t>::max();
  for (const PassResult& pass : result.passes) {
    running = std::min(running, pass.running);
    if (!pass.decode.has_value()) continue;
    summary.decode_steps += pass.decode->steps;
    summary.decode_apart |= pass.decode_apart;
    summary.mix_reason = pass.decode->mix_reason;
  }
  summary.batch_running = result.passes.empty() ? 0 : running;

  using Pass = PassResult;
  summary.total_tokens_per_s =
      OverPasses(result, [](const Pass& p) { return p.total_tokens_per_s; });
  summary.decode_tokens_per_s =
      OverPasses(result, [](const Pass& p) { return p.decode_tokens_per_s; });
  summary.ttft_s = OverPasses(result, [](const Pass& p) { return p.ttft_s; });
  summary.inter_token_s =
      OverPasses(result, [](const Pass& p) { return p.inter_token_s; });

  using Figures = StepFigures;
  const auto decode = [&](auto member) {
    return OverDecode(result, [member](const Figures& f) { return f.*member; });
  };
  summary.act_share = decode(&Figures::act_share);
  summary.link_busy = decode(&Figures::link_busy);
  summary.compute_busy = decode(&Figures::compute_busy);
  summary.ideal_step_s = decode(&Figures::ideal_seconds);
  summary.predicted_step_s = decode(&Figures::predicted_seconds);
  summary.measured_step_s = decode(&Figures::measured_seconds);
  summary.overlap_efficiency = decode(&Figures::overlap_efficiency);
  summary.weight_bytes = decode(&Figures::weight_bytes);
  summary.kv_bytes = decode(&Figures::kv_bytes);
  summary.act_bytes = decode(&Figures::act_bytes);
  summary.write_back_bytes = decode(&Figures::write_back_bytes);
  summary.work = MeanWork(result);
  return summary;
}

std::optional<double> BenchSummary::IdealDecodeTokensPerSecond() const {
  if (!ideal_step_s.has_value() || ideal_step_s->median <= 0) {
    return std::nullopt;
  }
  return static_cast<double>(batch_running) / ideal_step_s->median;
}

std::optional<double> RatioToKv(const BenchSummary& summary,
                                const std::vector<BenchSummary>& all) {
  for (const BenchSummary& other : all) {
    if (other.policy.name == "kv" &&
        other.prompt_tokens == summary.prompt_tokens &&
        other.total_tokens_per_s.has_value() &&
        summary.total_tokens_per_s.has_value()) {
      return summary.total_tokens_per_s->median /
             other.total_tokens_per_s->median;
    }
  }
  return std::nullopt;
}

}  // namespace hybridserve
