#ifndef HYBRIDSERVE_SCHEDULER_POLICY_DECODE_PREDICTION_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_DECODE_PREDICTION_H_

#include <cstdint>

#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// Blocks that one sequence of the workload reserves.
int64_t BlocksPerSequence(const CostModel& costs, const Workload& workload);

// What an average sequence of the workload does with the blocks it reserves.
struct CacheUse {
  double held = 0;    // Share of them that hold something, the last one too.
  double filled = 0;  // Share of their rows that do.

  static CacheUse Of(const CostModel& costs, const Workload& workload);
};

// What a decode step of these sequences takes: their context lies in the same
// share of every kind's and tier's reserved blocks.
StepTime PredictDecode(const CostModel& costs, const Workload& workload,
                       int64_t sequences, const BlockCounts& reserved);

// What that step moves.
StepBytes PredictDecodeBytes(const CostModel& costs, const Workload& workload,
                             int64_t sequences, const BlockCounts& reserved);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_DECODE_PREDICTION_H_
