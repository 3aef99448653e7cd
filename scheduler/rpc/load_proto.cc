#include "scheduler/rpc/load_proto.h"

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "common/dtype.h"

namespace hybridserve {
namespace {

void FillNumerics(const NumericsClass& numerics, v1::Numerics& proto) {
  proto.set_weights_hash(numerics.weights_hash);
  proto.set_backend(numerics.backend);
  proto.set_isa(numerics.isa);
  proto.set_dtype(std::string{Name(numerics.dtype)});
  proto.set_block_tokens(static_cast<uint32_t>(numerics.block_tokens));
  proto.set_build_id(numerics.build_id);
}

void FillTotals(const WorkerTotals& totals, v1::WorkerTotals& proto) {
  const StepStats& stats = totals.stats;
  proto.set_steps(totals.steps);
  proto.set_wall_seconds(absl::ToDoubleSeconds(stats.wall));
  proto.set_link_busy_seconds(absl::ToDoubleSeconds(stats.link_busy));
  proto.set_copy_out_busy_seconds(absl::ToDoubleSeconds(stats.copy_out_busy));
  proto.set_compute_busy_seconds(absl::ToDoubleSeconds(stats.compute_busy));
  proto.set_weight_bytes(stats.weight_bytes);
  proto.set_kv_bytes(stats.kv_bytes);
  proto.set_act_bytes(stats.act_bytes);
  proto.set_other_in_bytes(stats.other_in_bytes);
  proto.set_write_back_bytes(stats.write_back_bytes);
  proto.set_processed_tokens(totals.prompt_tokens + totals.generated_tokens);
  proto.set_sampled_tokens(totals.generated_tokens);
  proto.set_rebuilt_tokens(stats.rebuilt_tokens);
  proto.set_preemptions(totals.preemptions);
  proto.set_converted_blocks(totals.converted_blocks);
}

v1::Tier TierToProto(Tier tier) {
  return tier == Tier::kDevice ? v1::TIER_DEVICE : v1::TIER_HOST;
}

void FillPool(const PoolSnapshot& pool, v1::Pool& proto) {
  proto.set_tier(TierToProto(pool.tier));
  proto.set_half_slots(static_cast<uint32_t>(pool.half_slots));
  proto.set_free(static_cast<uint32_t>(pool.free));
  proto.set_cached(static_cast<uint32_t>(pool.cached));
  proto.set_kv_blocks(static_cast<uint32_t>(pool.kv_blocks));
  proto.set_act_blocks(static_cast<uint32_t>(pool.act_blocks));
  proto.set_peak_kv_blocks(static_cast<uint32_t>(pool.peak_kv_blocks));
  proto.set_peak_act_blocks(static_cast<uint32_t>(pool.peak_act_blocks));
}

// Layers of the model; 0 if the core has none of that name.
int64_t LayersOf(const std::string& model, const SchedulerSnapshot& snapshot) {
  for (const ModelSnapshot& known : snapshot.models) {
    if (known.name == model) return known.config.num_layers;
  }
  return 0;
}

// What the core does not keep.
void AddInfo(const WorkerInfo& info, int64_t layers, v1::Worker& proto) {
  proto.set_unpinned_cache(info.unpinned_cache);
  proto.set_layer_bytes(info.layer_bytes);
  proto.set_streamed_layer_bytes(info.streamed_layer_bytes);
  for (v1::Pool& pool : *proto.mutable_pools()) {
    for (const PoolInfo& known : info.pools) {
      if (TierToProto(known.tier) == pool.tier()) {
        pool.set_half_slot_bytes(known.half_slot_bytes);
        pool.set_bytes(known.half_slots * known.half_slot_bytes * layers);
      }
    }
  }
}

// The wire's zero is "unspecified".
v1::WorkKind KindToProto(WorkKind kind) {
  static_assert(static_cast<int>(WorkKind::kOther) + 1 == v1::WORK_KIND_OTHER);
  return static_cast<v1::WorkKind>(static_cast<int>(kind) + 1);
}

void FillCost(WorkKind kind, const WorkFit& fit, v1::WorkCost& cost) {
  cost.set_kind(KindToProto(kind));
  cost.set_fixed_seconds(absl::ToDoubleSeconds(fit.cost.fixed));
  cost.set_seconds_per_unit(fit.cost.seconds_per_unit);
}

bool IsFree(const WorkFit& fit) {
  return fit.samples.empty() && fit.cost.At(1) == absl::ZeroDuration();
}

void FillCosts(const WorkProfile& registered, const WorkProfile& tracked,
               v1::WorkerProfile& proto) {
  for (const WorkKind kind : kAllWorkKinds) {
    if (const WorkFit& fit = registered.fits[kind]; !IsFree(fit)) {
      v1::WorkCost& cost = *proto.add_costs();
      FillCost(kind, fit, cost);
      cost.set_r_squared(fit.cost.r_squared);
      for (const CostSample& sample : fit.samples) {
        v1::WorkSample& added = *cost.add_samples();
        added.set_units(sample.units);
        added.set_seconds(absl::ToDoubleSeconds(sample.duration));
      }
    }
    if (const WorkFit& fit = tracked.fits[kind]; !IsFree(fit)) {
      FillCost(kind, fit, *proto.add_tracked_costs());
    }
  }
}

void FillWork(const PerWorkKind<WorkTotals>& work, v1::WorkerTotals& proto) {
  for (const WorkKind kind : kAllWorkKinds) {
    const WorkTotals& total = work[kind];
    if (total.count == 0) continue;
    v1::WorkTotals& added = *proto.add_work();
    added.set_kind(KindToProto(kind));
    added.set_count(total.count);
    added.set_units(total.units);
    added.set_busy_seconds(absl::ToDoubleSeconds(total.busy));
  }
}

void FillWorker(const WorkerSnapshot& worker, bool ready, v1::Worker& proto) {
  proto.set_id(worker.id.value());
  proto.set_name(worker.name);
  proto.set_term(worker.term);
  proto.set_epoch(worker.epoch);
  proto.set_state(worker.state == "draining" ? v1::WORKER_STATE_DRAINING
                  : ready                    ? v1::WORKER_STATE_READY
                                             : v1::WORKER_STATE_WARMING_UP);
  proto.set_device(worker.device);
  proto.set_model(worker.model);
  FillNumerics(worker.numerics, *proto.mutable_numerics());
  proto.set_link_bytes_per_second(worker.profile.link_bytes_per_second);
  for (const PoolSnapshot& pool : worker.pools) {
    FillPool(pool, *proto.add_pools());
  }
  FillTotals(worker.totals, *proto.mutable_totals());
  FillWork(worker.totals.stats.work, *proto.mutable_totals());
  v1::WorkerProfile& profile = *proto.mutable_profile();
  profile.set_link_bytes_per_second(worker.profile.link_bytes_per_second);
  profile.set_copy_out_bytes_per_second(
      worker.profile.copy_out_bytes_per_second);
  profile.set_gemm_flops_per_second(worker.profile.gemm_flops_per_second);
  FillCosts(worker.profile.work, worker.tracked, profile);
  proto.set_running(static_cast<uint32_t>(worker.running));
  proto.set_act_ratio(worker.act_ratio);
  proto.set_mix_reason(worker.mix_reason);
  if (worker.predicted_step.has_value()) {
    proto.set_predicted_step_seconds(
        absl::ToDoubleSeconds(*worker.predicted_step));
  }
}

}  // namespace

v1::Load LoadToProto(const SchedulerSnapshot& snapshot,
                     const WorkerDirectory& directory,
                     const RequestMetrics& metrics) {
  v1::Load load;
  v1::Queue& queue = *load.mutable_queue();
  queue.set_running(static_cast<uint32_t>(snapshot.running));
  queue.set_waiting(static_cast<uint32_t>(snapshot.waiting));
  queue.set_waiting_tokens(snapshot.waiting_tokens);
  queue.set_max_requests(static_cast<uint32_t>(snapshot.max_queue_requests));
  queue.set_max_tokens(snapshot.max_queue_tokens);
  v1::Requests& requests = *load.mutable_requests();
  requests.set_accepted(snapshot.counts.accepted);
  requests.set_finished(snapshot.counts.finished);
  requests.set_cancelled(snapshot.counts.cancelled);
  requests.set_failed(snapshot.counts.failed);
  requests.set_rejected(metrics.rejected());
  requests.set_prompt_tokens(metrics.prompt_tokens());
  requests.set_completion_tokens(metrics.completion_tokens());
  requests.set_preemptions(snapshot.counts.preemptions);
  requests.set_replays(snapshot.counts.replays);
  for (const WorkerSnapshot& worker : snapshot.workers) {
    v1::Worker& added = *load.add_workers();
    FillWorker(worker, directory.IsReady(worker.id), added);
    const auto info = directory.FindInfo(worker.id);
    if (info.has_value()) {
      AddInfo(*info, LayersOf(worker.model, snapshot), added);
    }
  }
  return load;
}

}  // namespace hybridserve
