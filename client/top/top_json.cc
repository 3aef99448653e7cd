#include "client/top/top_json.h"

#include <optional>

namespace hybridserve {
namespace {

using nlohmann::ordered_json;

ordered_json OrNull(const std::optional<double>& value) {
  return value.has_value() ? ordered_json(*value) : ordered_json();
}

ordered_json CountToJson(const TopCount& count) {
  return {{"total", count.total}, {"more", count.more}};
}

ordered_json WorkerToJson(const TopWorker& worker) {
  ordered_json pools = ordered_json::array();
  for (const TopPool& pool : worker.pools) {
    pools.push_back({{"tier", pool.tier},
                     {"half_slots", pool.half_slots},
                     {"free", pool.free},
                     {"cached", pool.cached},
                     {"kv_blocks", pool.kv_blocks},
                     {"act_blocks", pool.act_blocks}});
  }
  const TopLinkRates& link = worker.link;
  return {{"id", worker.id},
          {"name", worker.name},
          {"state", worker.state},
          {"device", worker.device},
          {"model", worker.model},
          {"running", worker.running},
          {"link_busy", worker.link_busy},
          {"compute_busy", worker.compute_busy},
          {"copy_out_busy", worker.copy_out_busy},
          {"link_bytes_per_s",
           {{"weight", link.weight},
            {"kv", link.kv},
            {"act", link.act},
            {"other", link.other},
            {"write_back", link.write_back}}},
          {"prompt_tokens_per_s", worker.prompt_tokens_per_s},
          {"generated_tokens_per_s", worker.generated_tokens_per_s},
          {"step_s", OrNull(worker.step_s)},
          {"predicted_step_s", OrNull(worker.predicted_step_s)},
          {"act_ratio", worker.act_ratio},
          {"preemptions", worker.preemptions},
          {"pools", pools}};
}

}  // namespace

ordered_json TopToJson(const TopView& view) {
  ordered_json workers = ordered_json::array();
  for (const TopWorker& worker : view.workers) {
    workers.push_back(WorkerToJson(worker));
  }
  ordered_json loading = ordered_json::array();
  for (const TopLoading& worker : view.loading) {
    loading.push_back({{"name", worker.name},
                       {"model", worker.model},
                       {"stage", worker.stage},
                       {"loaded_bytes", worker.loaded_bytes},
                       {"total_bytes", worker.total_bytes}});
  }
  return {{"elapsed_s", view.elapsed_s},
          {"queue",
           {{"running", view.running},
            {"waiting", view.waiting},
            {"waiting_tokens", view.waiting_tokens},
            {"max_requests", view.max_requests},
            {"max_tokens", view.max_tokens}}},
          {"prompt_tokens_per_s", view.prompt_tokens_per_s},
          {"generated_tokens_per_s", view.generated_tokens_per_s},
          {"requests",
           {{"finished", CountToJson(view.finished)},
            {"cancelled", CountToJson(view.cancelled)},
            {"failed", CountToJson(view.failed)},
            {"rejected", CountToJson(view.rejected)},
            {"preemptions", CountToJson(view.preemptions)},
            {"replays", CountToJson(view.replays)}}},
          {"workers", workers},
          {"loading", loading}};
}

}  // namespace hybridserve
