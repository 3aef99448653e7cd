#include "scheduler/policy/flexgen_policy.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "scheduler/policy/flexgen_cost.h"
#include "scheduler/policy/flexgen_job.h"
#include "scheduler/policy/flexgen_search.h"
#include "scheduler/policy/kv_split.h"
#include "scheduler/policy/mix_report.h"
#include "scheduler/policy/mix_search.h"
#include "scheduler/policy/usable_pools.h"

namespace hybridserve {
namespace {

// A whole matrix is on the device or not: the largest are a third of a layer.
constexpr double kPercentsApart = 20;

// Only cache is left to place: weights are where the worker has them.
FlexGenJob CacheJobOf(const CostModel& costs, const Workload& workload) {
  FlexGenJob job = FlexGenJobOf(costs, workload);
  job.cache_only = true;
  return job;
}

FlexGenHardware PoolsOf(const CostModel& costs, const FlexGenJob& job,
                        const Capacities& capacities) {
  const auto pool_bytes = [&](int64_t half_slots) {
    const int64_t tokens = half_slots / 2 * costs.shape.block_tokens;
    return static_cast<double>(tokens) * costs.shape.kv_bytes_per_token *
           static_cast<double>(costs.shape.num_layers);
  };
  FlexGenHardware hardware = FlexGenHardwareOf(costs, job);
  hardware.device_bytes = pool_bytes(capacities.device_half_slots);
  hardware.host_bytes = pool_bytes(capacities.host_half_slots);
  return hardware;
}

}  // namespace

MixPoint FlexGenPolicy::Search(const CostModel& costs,
                               const Capacities& capacities,
                               const Workload& workload,
                               std::string& why) const {
  const FlexGenJob job = CacheJobOf(costs, workload);
  const auto choice =
      SearchFlexGen(job, PoolsOf(costs, job, capacities),
                    FlexGenAttention::kDevice, workload.sequences, 0.0);
  why = "policy flexgen";
  KvSplit split = {.zig_zag = true};
  if (choice.has_value()) {
    split.device_share = choice->placement.cache;
    const MixPoint point = PredictKvSplit(costs, capacities, workload,
                                          choice->placement.sequences(), split);
    why = absl::StrFormat(
        "policy flexgen, %.0f%% of the cache on the device, by its own model "
        "%.3g ms a token in decoding",
        100 * split.device_share,
        1e3 * static_cast<double>(job.num_layers) * choice->times.decode_layer /
            static_cast<double>(choice->placement.sequences()));
    if (point.sequences > 0 &&
        point.time.step() <= absl::ToDoubleSeconds(workload.max_step_time)) {
      return point;
    }
  }
  return MostSequences(costs, capacities, workload, split);
}

CacheMix FlexGenPolicy::ChooseMix(const CostModel& costs,
                                  const Capacities& capacities,
                                  const Workload& workload) const {
  CacheMix mix = {.bounds_device = percents_.has_value()};
  std::string why;
  if (percents_.has_value()) {
    why = absl::StrCat("policy flexgen, percents ", percents_->ToString());
    mix.chosen = MostSequences(
        costs, capacities, workload,
        {.device_share = percents_->cache_gpu / 100, .zig_zag = true});
  } else {
    mix.chosen = Search(costs, capacities, workload, why);
  }
  mix.kv = BestMix(costs, capacities, workload, {.least = 0, .most = 0});
  if (costs.shape.act_pays) {
    mix.act = BestMix(costs, capacities, workload, {.least = 1, .most = 1});
  }
  const bool chose_sequences =
      !percents_.has_value() ||
      workload.max_step_time != absl::InfiniteDuration();
  if (chose_sequences && mix.chosen.sequences > 0 &&
      mix.chosen.sequences < workload.sequences) {
    mix.max_sequences = mix.chosen.sequences;
  }
  mix.reason = DescribeMix(mix, why);
  return mix;
}

absl::Status FlexGenPolicy::CheckWorker(const WorkerInfo& worker,
                                        const ModelConfig& /*config*/) const {
  if (relay_ && !worker.unpinned_cache) {
    return absl::InvalidArgumentError(
        "--flexgen_relay: the worker's cache is in pinned memory; start it "
        "with --unpinned_cache");
  }
  if (!percents_.has_value() || HasOneMemory(worker) ||
      worker.layer_bytes <= 0) {
    return absl::OkStatus();
  }
  const double resident =
      100 - 100 * static_cast<double>(worker.streamed_layer_bytes) /
                static_cast<double>(worker.layer_bytes);
  if (std::abs(resident - percents_->weight_gpu) <= kPercentsApart) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--percent=", percents_->ToString(), ": the worker has ",
                   std::lround(resident),
                   "% of a layer's weights on its device; start it "
                   "with --resident_weights=",
                   percents_->weight_gpu));
}

std::vector<PoolInfo> FlexGenPolicy::UsablePools(
    const WorkerInfo& worker) const {
  if (percents_.has_value() && percents_->cache_cpu == 0) {
    return DevicePools(worker);
  }
  if (percents_.has_value() && percents_->cache_gpu == 0) {
    return PoolsWithout(worker, Tier::kDevice);
  }
  return worker.pools;
}

StepTime FlexGenPolicy::Predict(const CostModel& costs, const StepLoad& load,
                                const BlockCounts& blocks) const {
  StepTime time = PredictStep(costs, load, blocks);
  time.zig_zag = true;
  return time;
}

StepRoster FlexGenPolicy::Plan(const StepSnapshot& snapshot,
                               const CacheMix& /*mix*/) const {
  return FormRosterInOrder(snapshot);
}

}  // namespace hybridserve
