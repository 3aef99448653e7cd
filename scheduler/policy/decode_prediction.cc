#include "scheduler/policy/decode_prediction.h"

#include <algorithm>
#include <cmath>

namespace hybridserve {
namespace {

StepLoad DecodeLoad(const Workload& workload, int64_t sequences,
                    const CacheUse& use) {
  const auto rows = static_cast<double>(sequences);
  return {.sequences = rows,
          .context_tokens = rows * workload.context_tokens,
          .new_rows = rows,
          .fill = use.held > 0 ? use.filled / use.held : 1};
}

}  // namespace

int64_t BlocksPerSequence(const CostModel& costs, const Workload& workload) {
  return std::max<int64_t>(
      1, static_cast<int64_t>(std::ceil(
             std::max(workload.final_tokens, workload.context_tokens) /
             costs.shape.block_tokens)));
}

CacheUse CacheUse::Of(const CostModel& costs, const Workload& workload) {
  const double block_tokens = costs.shape.block_tokens;
  const auto reserved =
      static_cast<double>(BlocksPerSequence(costs, workload)) * block_tokens;
  const double filled =
      std::clamp(workload.context_tokens / reserved, 0.0, 1.0);
  if (filled == 0) return {};
  // The last block is half full on average.
  const double open = (block_tokens - 1) / 2 / reserved;
  return {.held = std::min(filled + open, 1.0), .filled = filled};
}

StepTime PredictDecode(const CostModel& costs, const Workload& workload,
                       int64_t sequences, const BlockCounts& reserved) {
  const CacheUse use = CacheUse::Of(costs, workload);
  return PredictStep(costs, DecodeLoad(workload, sequences, use),
                     reserved * use.held);
}

StepBytes PredictDecodeBytes(const CostModel& costs, const Workload& workload,
                             int64_t sequences, const BlockCounts& reserved) {
  const CacheUse use = CacheUse::Of(costs, workload);
  return PredictStepBytes(costs.shape, DecodeLoad(workload, sequences, use),
                          reserved * use.held);
}

}  // namespace hybridserve
