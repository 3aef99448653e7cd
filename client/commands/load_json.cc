#include "client/commands/load_json.h"

#include <cmath>
#include <string>

#include "client/enum_names.h"

namespace hybridserve {
namespace {

using nlohmann::ordered_json;

ordered_json Finite(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json();
}

ordered_json PoolToJson(const v1::Pool& pool) {
  return {{"tier", TierName(pool.tier())},
          {"half_slots", pool.half_slots()},
          {"free", pool.free()},
          {"cached", pool.cached()},
          {"kv_blocks", pool.kv_blocks()},
          {"act_blocks", pool.act_blocks()},
          {"peak_kv_blocks", pool.peak_kv_blocks()},
          {"peak_act_blocks", pool.peak_act_blocks()},
          {"half_slot_bytes", pool.half_slot_bytes()}};
}

ordered_json NumericsToJson(const v1::Numerics& numerics) {
  return {{"weights_hash", numerics.weights_hash()},
          {"backend", numerics.backend()},
          {"isa", numerics.isa()},
          {"dtype", numerics.dtype()},
          {"block_tokens", numerics.block_tokens()},
          {"build_id", numerics.build_id()}};
}

ordered_json TotalsToJson(const v1::WorkerTotals& totals) {
  return {{"steps", totals.steps()},
          {"wall_seconds", totals.wall_seconds()},
          {"link_busy_seconds", totals.link_busy_seconds()},
          {"copy_out_busy_seconds", totals.copy_out_busy_seconds()},
          {"compute_busy_seconds", totals.compute_busy_seconds()},
          {"weight_bytes", totals.weight_bytes()},
          {"kv_bytes", totals.kv_bytes()},
          {"act_bytes", totals.act_bytes()},
          {"other_in_bytes", totals.other_in_bytes()},
          {"write_back_bytes", totals.write_back_bytes()},
          {"processed_tokens", totals.processed_tokens()},
          {"sampled_tokens", totals.sampled_tokens()},
          {"rebuilt_tokens", totals.rebuilt_tokens()},
          {"preemptions", totals.preemptions()},
          {"converted_blocks", totals.converted_blocks()}};
}

ordered_json LineToJson(const v1::WorkCost& cost) {
  return {{"fixed_s", cost.fixed_seconds()},
          {"s_per_unit", cost.seconds_per_unit()}};
}

// A fit for each kind of work, with what it was fitted to.
ordered_json CostsToJson(const v1::WorkerProfile& profile) {
  ordered_json costs = ordered_json::object();
  for (const v1::WorkCost& cost : profile.costs()) {
    ordered_json samples = ordered_json::array();
    for (const v1::WorkSample& sample : cost.samples()) {
      samples.push_back(
          {{"units", sample.units()}, {"seconds", sample.seconds()}});
    }
    ordered_json& json = costs[WorkKindName(cost.kind())];
    json = LineToJson(cost);
    json["r_squared"] = cost.r_squared();
    json["samples"] = samples;
  }
  return costs;
}

ordered_json TrackedCostsToJson(const v1::WorkerProfile& profile) {
  ordered_json costs = ordered_json::object();
  for (const v1::WorkCost& cost : profile.tracked_costs()) {
    costs[WorkKindName(cost.kind())] = LineToJson(cost);
  }
  return costs;
}

ordered_json WorkerToJson(const v1::Worker& worker, bool show_profile) {
  ordered_json pools = ordered_json::array();
  for (const v1::Pool& pool : worker.pools()) {
    pools.push_back(PoolToJson(pool));
  }
  ordered_json json = {
      {"id", worker.id()},
      {"name", worker.name()},
      {"term", worker.term()},
      {"epoch", worker.epoch()},
      {"state", WorkerStateName(worker.state())},
      {"device", worker.device()},
      {"model", worker.model()},
      {"numerics", NumericsToJson(worker.numerics())},
      {"link_bytes_per_s", Finite(worker.link_bytes_per_second())},
      {"running", worker.running()},
      {"act_ratio", worker.act_ratio()},
      {"mix_reason", worker.mix_reason()},
      {"layer_bytes", worker.layer_bytes()},
      {"streamed_layer_bytes", worker.streamed_layer_bytes()},
      {"pools", pools},
      {"totals", TotalsToJson(worker.totals())}};
  if (show_profile) {
    const v1::WorkerProfile& profile = worker.profile();
    json["profile"] = {
        {"link_bytes_per_s", Finite(profile.link_bytes_per_second())},
        {"copy_out_bytes_per_s", Finite(profile.copy_out_bytes_per_second())},
        {"gemm_flops_per_s", Finite(profile.gemm_flops_per_second())},
        {"costs", CostsToJson(profile)},
        {"tracked_costs", TrackedCostsToJson(profile)}};
  }
  return json;
}

}  // namespace

ordered_json LoadToJson(const v1::Load& load, bool show_profile) {
  ordered_json workers = ordered_json::array();
  for (const v1::Worker& worker : load.workers()) {
    workers.push_back(WorkerToJson(worker, show_profile));
  }
  return {{"queue",
           {{"running", load.queue().running()},
            {"waiting", load.queue().waiting()}}},
          {"workers", workers}};
}

}  // namespace hybridserve
