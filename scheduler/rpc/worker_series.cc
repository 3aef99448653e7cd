#include "scheduler/rpc/worker_series.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/metric_family.h"

namespace hybridserve {
namespace {

using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

// One name, with values of workers.
class Family {
 public:
  Family(std::vector<MetricFamily>& families, const std::string& name,
         const std::string& help, MetricType type)
      : builder_(families, "hybridserve_" + name, help, type) {}

  void Add(const v1::Worker& worker, double value,
           const MetricLabels& more = {}) {
    MetricLabels labels = {{"model_name", worker.model()},
                           {"worker", worker.name()}};
    labels.insert(labels.end(), more.begin(), more.end());
    builder_.Add(std::move(labels), value);
  }

 private:
  MetricFamilyBuilder builder_;
};

const char* NameOf(v1::Tier tier) {
  return tier == v1::TIER_DEVICE ? "device" : "host";
}

void AddPools(const v1::Load& load, std::vector<MetricFamily>& families) {
  Family blocks(families, "cache_blocks", "Cache blocks in use.",
                MetricType::Gauge);
  Family half_slots(families, "cache_half_slots",
                    "Half-slots of a tier's pool by state.", MetricType::Gauge);
  Family usage(families, "kv_cache_usage_ratio",
               "Share of all half-slots in use, 0 to 1.", MetricType::Gauge);
  Family bytes(families, "host_pool_bytes",
               "The cache pool in host memory by state.", MetricType::Gauge);
  for (const v1::Worker& worker : load.workers()) {
    const char* const pinned = worker.unpinned_cache() ? "false" : "true";
    double total = 0;
    double free = 0;
    for (const v1::Pool& pool : worker.pools()) {
      const std::string tier = NameOf(pool.tier());
      blocks.Add(worker, pool.kv_blocks(), {{"kind", "kv"}, {"tier", tier}});
      blocks.Add(worker, pool.act_blocks(), {{"kind", "act"}, {"tier", tier}});
      half_slots.Add(worker, pool.free(), {{"state", "free"}, {"tier", tier}});
      half_slots.Add(worker, pool.cached(),
                     {{"state", "cached"}, {"tier", tier}});
      half_slots.Add(worker, pool.half_slots(),
                     {{"state", "all"}, {"tier", tier}});
      const double free_here = pool.free() + pool.cached();
      total += pool.half_slots();
      free += free_here;
      if (pool.tier() != v1::TIER_HOST) continue;
      const auto all_bytes = static_cast<double>(pool.bytes());
      const double free_bytes =
          pool.half_slots() > 0 ? all_bytes * free_here / pool.half_slots() : 0;
      bytes.Add(worker, all_bytes - free_bytes,
                {{"state", "used"}, {"pinned", pinned}});
      bytes.Add(worker, free_bytes, {{"state", "free"}, {"pinned", pinned}});
    }
    usage.Add(worker, total > 0 ? 1 - free / total : 0);
  }
}

// What a gateway compares cells by: a scheduler, with the caches of all its
// workers.
void AddCellUsage(const v1::Load& load, std::vector<MetricFamily>& families) {
  double total = 0;
  double free = 0;
  for (const v1::Worker& worker : load.workers()) {
    for (const v1::Pool& pool : worker.pools()) {
      total += pool.half_slots();
      free += pool.free() + pool.cached();
    }
  }
  MetricFamilyBuilder(families, "hybridserve_cell_kv_cache_usage_ratio",
                      "Share of all workers' half-slots in use, 0 to 1; 1 "
                      "without a worker.",
                      MetricType::Gauge)
      .Add({}, total > 0 ? 1 - free / total : 1);
}

// As the gateways of Kubernetes want to know it, in blocks of keys and values.
void AddCacheConfig(const v1::Load& load, std::vector<MetricFamily>& families) {
  Family config(families, "cache_config_info",
                "1, with the cache's size: blocks of keys and values, and "
                "tokens a block.",
                MetricType::Gauge);
  for (const v1::Worker& worker : load.workers()) {
    uint32_t device = 0;
    uint32_t host = 0;
    for (const v1::Pool& pool : worker.pools()) {
      (pool.tier() == v1::TIER_DEVICE ? device : host) = pool.half_slots() / 2;
    }
    config.Add(worker, 1,
               {{"block_size", absl::StrCat(worker.numerics().block_tokens())},
                {"num_gpu_blocks", absl::StrCat(device)},
                {"num_host_blocks", absl::StrCat(host)}});
  }
}

void AddLink(const v1::Load& load, std::vector<MetricFamily>& families) {
  Family bytes(families, "offload_bytes_total",
               "Bytes over the link between host and device.",
               MetricType::Counter);
  Family busy(families, "offload_busy_seconds_total",
              "Seconds of steps in which a stream was busy.",
              MetricType::Counter);
  Family bandwidth(families, "link_bandwidth_bytes_per_second",
                   "As the worker measured it at start.", MetricType::Gauge);
  for (const v1::Worker& worker : load.workers()) {
    const v1::WorkerTotals& totals = worker.totals();
    const auto add_bytes = [&](const char* dir, const char* kind,
                               uint64_t value) {
      bytes.Add(worker, static_cast<double>(value),
                {{"dir", dir}, {"kind", kind}});
    };
    add_bytes("in", "weight", totals.weight_bytes());
    add_bytes("in", "kv", totals.kv_bytes());
    add_bytes("in", "act", totals.act_bytes());
    add_bytes("in", "other", totals.other_in_bytes());
    add_bytes("out", "write_back", totals.write_back_bytes());
    busy.Add(worker, totals.link_busy_seconds(), {{"stream", "link"}});
    busy.Add(worker, totals.copy_out_busy_seconds(), {{"stream", "copy_out"}});
    busy.Add(worker, totals.compute_busy_seconds(), {{"stream", "compute"}});
    bandwidth.Add(worker, worker.profile().link_bytes_per_second(),
                  {{"dir", "in"}});
    bandwidth.Add(worker, worker.profile().copy_out_bytes_per_second(),
                  {{"dir", "out"}});
  }
}

// The labels dir and kind of a copy; no dir: it is none.
struct Copy {
  const char* dir = nullptr;
  const char* kind = nullptr;
};

Copy CopyOf(v1::WorkKind kind) {
  switch (kind) {
    case v1::WORK_KIND_WEIGHTS:
      return {"in", "weight"};
    case v1::WORK_KIND_KV:
      return {"in", "kv"};
    case v1::WORK_KIND_ACT:
      return {"in", "act"};
    case v1::WORK_KIND_INPUTS:
      return {"in", "other"};
    case v1::WORK_KIND_WRITE_BACK:
      return {"out", "write_back"};
    case v1::WORK_KIND_RESULTS:
      return {"out", "results"};
    default:
      return {};
  }
}

// Null: no computing.
const char* ComputeOf(v1::WorkKind kind) {
  switch (kind) {
    case v1::WORK_KIND_REBUILD:
      return "rebuild";
    case v1::WORK_KIND_FORWARD:
      return "forward";
    case v1::WORK_KIND_ATTENTION:
      return "attention";
    case v1::WORK_KIND_HEAD:
      return "head";
    default:
      return nullptr;
  }
}

void AddWork(const v1::Load& load, std::vector<MetricFamily>& families) {
  Family copies(families, "offload_seconds_total",
                "Seconds that copies between host and device took, by kind.",
                MetricType::Counter);
  Family computes(families, "compute_seconds_total",
                  "Seconds that the device computed, by kind of work.",
                  MetricType::Counter);
  Family recompute(families, "kv_recompute_seconds_total",
                   "Seconds that keys and values were rebuilt for.",
                   MetricType::Counter);
  for (const v1::Worker& worker : load.workers()) {
    double rebuild_seconds = 0;
    for (const v1::WorkTotals& work : worker.totals().work()) {
      const double seconds = work.busy_seconds();
      if (const Copy copy = CopyOf(work.kind()); copy.dir != nullptr) {
        copies.Add(worker, seconds, {{"dir", copy.dir}, {"kind", copy.kind}});
      } else if (const char* kind = ComputeOf(work.kind()); kind != nullptr) {
        computes.Add(worker, seconds, {{"kind", kind}});
      }
      if (work.kind() == v1::WORK_KIND_REBUILD) rebuild_seconds = seconds;
    }
    recompute.Add(worker, rebuild_seconds);
  }
}

void AddSteps(const v1::Load& load, std::vector<MetricFamily>& families) {
  Family wall(families, "step_seconds_total", "Seconds of all steps.",
              MetricType::Counter);
  Family steps(families, "steps_total", "Steps.", MetricType::Counter);
  Family tokens(families, "step_tokens_total",
                "Token positions of all steps: of prompts, replays included, "
                "and sampled.",
                MetricType::Counter);
  Family rebuilt(families, "rebuilt_tokens_total",
                 "Rows of K and V rebuilt from activations, in one layer.",
                 MetricType::Counter);
  Family preemptions(families, "preemptions_total",
                     "Sequences that gave way to others in a full cache.",
                     MetricType::Counter);
  Family converted(families, "converted_blocks_total",
                   "Cache blocks of activations that became keys and values.",
                   MetricType::Counter);
  for (const v1::Worker& worker : load.workers()) {
    const v1::WorkerTotals& totals = worker.totals();
    const auto count = [](uint64_t value) {
      return static_cast<double>(value);
    };
    wall.Add(worker, totals.wall_seconds());
    steps.Add(worker, count(totals.steps()));
    tokens.Add(worker,
               count(totals.processed_tokens() - totals.sampled_tokens()),
               {{"kind", "prompt"}});
    tokens.Add(worker, count(totals.sampled_tokens()), {{"kind", "sampled"}});
    rebuilt.Add(worker, count(totals.rebuilt_tokens()));
    preemptions.Add(worker, count(totals.preemptions()));
    converted.Add(worker, count(totals.converted_blocks()));
  }
}

void AddStates(const v1::Load& load, std::vector<MetricFamily>& families) {
  Family up(families, "worker_up", "1 once a worker has produced a token.",
            MetricType::Gauge);
  Family running(families, "worker_sequences_running", "Sequences on a worker.",
                 MetricType::Gauge);
  Family act_ratio(families, "act_ratio",
                   "ACT share of the blocks of the sequence admitted last.",
                   MetricType::Gauge);
  Family predicted(families, "predicted_step_seconds",
                   "A step of what runs now, as the policy predicts it.",
                   MetricType::Gauge);
  for (const v1::Worker& worker : load.workers()) {
    up.Add(worker, worker.state() == v1::WORKER_STATE_READY ? 1 : 0);
    running.Add(worker, worker.running());
    act_ratio.Add(worker, worker.act_ratio());
    if (worker.has_predicted_step_seconds()) {
      predicted.Add(worker, worker.predicted_step_seconds());
    }
  }
}

}  // namespace

void AddWorkerSeries(const v1::Load& load,
                     std::vector<MetricFamily>& families) {
  AddStates(load, families);
  AddCacheConfig(load, families);
  AddPools(load, families);
  AddCellUsage(load, families);
  AddLink(load, families);
  AddWork(load, families);
  AddSteps(load, families);
}

}  // namespace hybridserve
