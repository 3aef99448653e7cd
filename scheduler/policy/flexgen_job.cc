#include "scheduler/policy/flexgen_job.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "common/work.h"

namespace hybridserve {
namespace {

constexpr double kFree = 1e30;

// Units a second of a kind of work; as good as infinite where it is free.
double RateOf(const CostModel& costs, WorkKind kind, double units = 1) {
  const double seconds = costs.profile.cost(kind).seconds_per_unit;
  return seconds > 0 ? units / seconds : kFree;
}

}  // namespace

FlexGenJob FlexGenJobOf(const CostModel& costs, const Workload& workload) {
  const DecodeShape& shape = costs.shape;
  const int64_t hidden = std::llround(shape.kv_bytes_per_token / 4);
  // At least two: with one there would be no decoding.
  const double output =
      std::max(2.0, 2 * (workload.final_tokens - workload.context_tokens));
  return {.num_layers = shape.num_layers,
          .hidden = hidden,
          .ffn = 4 * hidden,
          .prompt_tokens = std::max(1.0, workload.final_tokens - output),
          .output_tokens = output,
          .open_layer_bytes = shape.layer_weight_bytes};
}

FlexGenHardware FlexGenHardwareOf(const CostModel& costs,
                                  const FlexGenJob& job) {
  const double row_flops = job.layer_flops();
  const double pair_flops = 4 * static_cast<double>(job.hidden);
  return {
      .to_device = RateOf(costs, WorkKind::kKv),
      .cache_to_host = RateOf(costs, WorkKind::kWriteBack),
      .hidden_to_host = RateOf(costs, WorkKind::kWriteBack),
      .prefill_matmul = RateOf(costs, WorkKind::kForward, row_flops),
      .decode_matmul = RateOf(costs, WorkKind::kForward, row_flops),
      .prefill_attention = RateOf(costs, WorkKind::kAttention, 2 * pair_flops),
      .decode_attention = RateOf(costs, WorkKind::kAttention, pair_flops),
      .host_attention = kFree};
}

}  // namespace hybridserve
