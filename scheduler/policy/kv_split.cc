#include "scheduler/policy/kv_split.h"

#include <algorithm>
#include <cmath>

#include "absl/time/time.h"
#include "scheduler/policy/mix_search.h"

namespace hybridserve {

MixPoint PredictKvSplit(const CostModel& costs, const Capacities& capacities,
                        const Workload& workload, int64_t sequences,
                        const KvSplit& split) {
  const DecodeShape& shape = costs.shape;
  const int64_t blocks = BlocksPerSequence(costs, workload);
  const int64_t recomputed =
      RecomputedBlocks(shape, split.recompute_ratio, blocks);
  const int64_t kept = (blocks - recomputed) * sequences;
  const int64_t device_room = capacities.device_half_slots / 2;
  const int64_t host_room = capacities.host_half_slots / 2;
  if (kept > device_room + host_room ||
      recomputed * sequences * shape.block_tokens > shape.recomputed_tokens) {
    return {};
  }
  // Not below what the host cannot take.
  const double on_device = std::max(
      std::floor(std::min(static_cast<double>(kept) * split.device_share,
                          static_cast<double>(device_room))),
      static_cast<double>(kept - host_room));
  MixPoint point = {
      .sequences = sequences,
      .blocks = {.kv_device = on_device,
                 .kv_host = static_cast<double>(kept) - on_device,
                 .tokens = static_cast<double>(recomputed * sequences)}};

  // The context fills the recomputed blocks first, then a share of the others.
  const auto count = static_cast<double>(sequences);
  const double used =
      workload.context_tokens / static_cast<double>(shape.block_tokens);
  const double tokens = std::min(static_cast<double>(recomputed), used);
  const double share =
      kept == 0
          ? 0
          : std::clamp((used - tokens) * count / static_cast<double>(kept), 0.0,
                       1.0);
  BlockCounts holding = point.blocks * share;
  holding.tokens = tokens * count;
  point.time = PredictStep(costs,
                           {.sequences = count,
                            .context_tokens = count * workload.context_tokens,
                            .new_rows = count},
                           holding);
  point.time.zig_zag = split.zig_zag;
  return point;
}

MixPoint MostSequences(const CostModel& costs, const Capacities& capacities,
                       const Workload& workload, const KvSplit& split) {
  const double limit = absl::ToDoubleSeconds(workload.max_step_time);
  MixPoint point;
  for (int64_t sequences = workload.sequences; sequences >= 1; --sequences) {
    point = PredictKvSplit(costs, capacities, workload, sequences, split);
    if (point.sequences > 0 && point.time.step() <= limit) break;
  }
  return point;
}

}  // namespace hybridserve
