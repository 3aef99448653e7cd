#include "scheduler/policy/recompute_policy.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "scheduler/policy/kv_split.h"
#include "scheduler/policy/mix_report.h"
#include "scheduler/policy/mix_search.h"

namespace hybridserve {

RecomputePolicy::RecomputePolicy(double ratio) : ratio_(ratio) {
  CHECK(ratio >= 0 && ratio <= 1) << ratio;
}

CacheMix RecomputePolicy::ChooseMix(const CostModel& costs,
                                    const Capacities& capacities,
                                    const Workload& workload) const {
  CacheMix mix;
  mix.chosen =
      MostSequences(costs, capacities, workload, {.recompute_ratio = ratio_});
  mix.kv = BestMix(costs, capacities, workload, {.least = 0, .most = 0});
  if (costs.shape.act_pays) {
    mix.act = BestMix(costs, capacities, workload, {.least = 1, .most = 1});
  }
  if (workload.max_step_time != absl::InfiniteDuration() &&
      mix.chosen.sequences > 0 && mix.chosen.sequences < workload.sequences) {
    mix.max_sequences = mix.chosen.sequences;
  }
  mix.reason =
      DescribeMix(mix, absl::StrCat("policy recompute, ratio ", ratio_));
  return mix;
}

absl::Status RecomputePolicy::CheckWorker(const WorkerInfo& worker,
                                          const ModelConfig& /*config*/) const {
  if (ratio_ == 0 ||
      worker.max_recomputed_tokens >= worker.numerics.block_tokens) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--policy=recompute: the worker has room to recompute ",
      worker.max_recomputed_tokens,
      " token positions in a step, less than a block; start it with "
      "--recompute_tokens and enough --device_memory"));
}

}  // namespace hybridserve
