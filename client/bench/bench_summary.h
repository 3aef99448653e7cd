#ifndef HYBRIDSERVE_CLIENT_BENCH_BENCH_SUMMARY_H_
#define HYBRIDSERVE_CLIENT_BENCH_BENCH_SUMMARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/bench_runner.h"
#include "client/bench/ideal_time.h"
#include "client/bench/statistics.h"

namespace hybridserve {

// One policy's repeats as medians and spreads. Unset: unknown in every repeat.
struct BenchSummary {
  BenchPolicy policy;
  std::optional<int64_t> batch_requested;  // Unset: auto.
  int64_t batch_running = 0;               // At once: the fewest of a repeat.
  int64_t prompt_tokens = 0;
  int64_t output_tokens = 0;
  int64_t repeats = 0;
  std::optional<Spread> total_tokens_per_s;
  std::optional<Spread> decode_tokens_per_s;
  std::optional<Spread> ttft_s;
  std::optional<Spread> inter_token_s;
  // Of the decode phase, like all below.
  int64_t decode_steps = 0;   // In all repeats together.
  bool decode_apart = false;  // Some of them: see PassResult.
  std::optional<Spread> act_share;
  std::optional<Spread> link_busy;
  std::optional<Spread> compute_busy;
  std::optional<Spread> ideal_step_s;
  std::optional<Spread> predicted_step_s;
  std::optional<Spread> measured_step_s;
  std::optional<Spread> overlap_efficiency;
  std::optional<Spread> weight_bytes;  // A step.
  std::optional<Spread> kv_bytes;
  std::optional<Spread> act_bytes;
  std::optional<Spread> write_back_bytes;
  std::vector<KindSeconds> work;  // A step, on average of the repeats.
  std::string mix_reason;         // In the policy's words; may be empty.

  // What decoding would give in tokens/s if every step took the ideal time.
  std::optional<double> IdealDecodeTokensPerSecond() const;
};

// Pure.
BenchSummary Summarize(const BenchResult& result);

// The medians' ratio of total tokens/s to that of policy "kv" at the same
// prompt length. Unset if it was not measured.
std::optional<double> RatioToKv(const BenchSummary& summary,
                                const std::vector<BenchSummary>& all);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_BENCH_SUMMARY_H_
