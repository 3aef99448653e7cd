#include "scheduler/rpc/snapshot_metrics.h"

#include <cstdint>
#include <string>

#include "prometheus/client_metric.h"
#include "prometheus/metric_type.h"

namespace hybridserve {
namespace {

using ::prometheus::ClientMetric;
using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

using Labels = std::vector<ClientMetric::Label>;

// One metric name with its values.
class Family {
 public:
  Family(std::vector<MetricFamily>& families, const std::string& name,
         const std::string& help, MetricType type)
      : families_(families) {
    family_.name = "hybridserve_" + name;
    family_.help = help;
    family_.type = type;
  }
  ~Family() { families_.push_back(std::move(family_)); }
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  void Add(Labels labels, double value) {
    ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    if (family_.type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
  }

 private:
  std::vector<MetricFamily>& families_;
  MetricFamily family_;
};

Labels LabelsOf(const v1::Worker& worker, Labels more = {}) {
  Labels labels = {{"model_name", worker.model()}, {"worker", worker.name()}};
  labels.insert(labels.end(), more.begin(), more.end());
  return labels;
}

const char* NameOf(v1::Tier tier) {
  return tier == v1::TIER_DEVICE ? "device" : "host";
}

void AddQueue(const v1::Load& load, std::vector<MetricFamily>& families) {
  const v1::Queue& queue = load.queue();
  Family(families, "requests_running", "Requests on workers.",
         MetricType::Gauge)
      .Add({}, queue.running());
  Family(families, "requests_waiting", "Requests in the queue.",
         MetricType::Gauge)
      .Add({}, queue.waiting());
  Family(families, "waiting_tokens",
         "Prompt and max_tokens of the requests in the queue.",
         MetricType::Gauge)
      .Add({}, static_cast<double>(queue.waiting_tokens()));
}

void AddPools(const v1::Load& load, std::vector<MetricFamily>& families) {
  Family blocks(families, "cache_blocks", "Cache blocks in use.",
                MetricType::Gauge);
  Family half_slots(families, "cache_half_slots",
                    "Half-slots of a tier's pool by state.", MetricType::Gauge);
  Family usage(families, "kv_cache_usage_ratio",
               "Share of all half-slots in use, 0 to 1.", MetricType::Gauge);
  for (const v1::Worker& worker : load.workers()) {
    double total = 0;
    double free = 0;
    for (const v1::Pool& pool : worker.pools()) {
      const std::string tier = NameOf(pool.tier());
      blocks.Add(LabelsOf(worker, {{"kind", "kv"}, {"tier", tier}}),
                 pool.kv_blocks());
      blocks.Add(LabelsOf(worker, {{"kind", "act"}, {"tier", tier}}),
                 pool.act_blocks());
      half_slots.Add(LabelsOf(worker, {{"state", "free"}, {"tier", tier}}),
                     pool.free());
      half_slots.Add(LabelsOf(worker, {{"state", "cached"}, {"tier", tier}}),
                     pool.cached());
      half_slots.Add(LabelsOf(worker, {{"state", "all"}, {"tier", tier}}),
                     pool.half_slots());
      total += pool.half_slots();
      free += pool.free() + pool.cached();
    }
    usage.Add(LabelsOf(worker), total > 0 ? 1 - free / total : 0);
  }
}

void AddTotals(const v1::Load& load, std::vector<MetricFamily>& families) {
  Family bytes(families, "offload_bytes_total",
               "Bytes over the link between host and device.",
               MetricType::Counter);
  Family busy(families, "offload_busy_seconds_total",
              "Seconds of steps in which a stream was busy.",
              MetricType::Counter);
  Family wall(families, "step_seconds_total", "Seconds of all steps.",
              MetricType::Counter);
  Family steps(families, "steps_total", "Steps.", MetricType::Counter);
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
    const auto add_bytes = [&](const char* dir, const char* kind,
                               uint64_t value) {
      bytes.Add(LabelsOf(worker, {{"dir", dir}, {"kind", kind}}),
                static_cast<double>(value));
    };
    add_bytes("in", "weight", totals.weight_bytes());
    add_bytes("in", "kv", totals.kv_bytes());
    add_bytes("in", "act", totals.act_bytes());
    add_bytes("in", "other", totals.other_in_bytes());
    add_bytes("out", "write_back", totals.write_back_bytes());
    busy.Add(LabelsOf(worker, {{"stream", "link"}}),
             totals.link_busy_seconds());
    busy.Add(LabelsOf(worker, {{"stream", "copy_out"}}),
             totals.copy_out_busy_seconds());
    busy.Add(LabelsOf(worker, {{"stream", "compute"}}),
             totals.compute_busy_seconds());
    wall.Add(LabelsOf(worker), totals.wall_seconds());
    steps.Add(LabelsOf(worker), static_cast<double>(totals.steps()));
    rebuilt.Add(LabelsOf(worker), static_cast<double>(totals.rebuilt_tokens()));
    preemptions.Add(LabelsOf(worker),
                    static_cast<double>(totals.preemptions()));
    converted.Add(LabelsOf(worker),
                  static_cast<double>(totals.converted_blocks()));
  }
}

void AddWorkers(const v1::Load& load, std::vector<MetricFamily>& families) {
  Family up(families, "worker_up", "1 once a worker has produced a token.",
            MetricType::Gauge);
  Family act_ratio(families, "act_ratio",
                   "ACT share of the blocks of the sequence admitted last.",
                   MetricType::Gauge);
  Family link(families, "link_bandwidth_bytes_per_second",
              "As the worker measured it at start.", MetricType::Gauge);
  for (const v1::Worker& worker : load.workers()) {
    up.Add(LabelsOf(worker), worker.state() == v1::WORKER_STATE_READY ? 1 : 0);
    act_ratio.Add(LabelsOf(worker), worker.act_ratio());
    link.Add(LabelsOf(worker, {{"dir", "in"}}),
             worker.profile().link_bytes_per_second());
    link.Add(LabelsOf(worker, {{"dir", "out"}}),
             worker.profile().copy_out_bytes_per_second());
  }
}

}  // namespace

std::vector<MetricFamily> SnapshotMetrics::Collect() const {
  std::vector<MetricFamily> families;
  const std::optional<v1::Load> load = source_();
  if (!load.has_value()) return families;
  AddQueue(*load, families);
  AddPools(*load, families);
  AddTotals(*load, families);
  AddWorkers(*load, families);
  return families;
}

}  // namespace hybridserve
