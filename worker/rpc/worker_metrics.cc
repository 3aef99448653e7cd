#include "worker/rpc/worker_metrics.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/time/time.h"

namespace hybridserve {

WorkerMetrics::WorkerMetrics(const std::string& model_name)
    : model_({{"model_name", model_name}}),
      registry_(std::make_shared<prometheus::Registry>()),
      up_(AddGauges("worker_up", "1 while a scheduler has the worker.")
              .Add(model_)),
      load_ratio_(AddGauges("model_load_ratio",
                            "Share of the checkpoint that is "
                            "loaded.")
                      .Add(model_)),
      bandwidth_(AddGauges("link_bandwidth_bytes_per_second",
                           "As the worker measured it at start.")),
      memory_(AddGauges("memory_plan_bytes",
                        "Memory that the worker allocates, by use.")),
      unpinned_(AddGauges("unpinned_host_bytes",
                          "Weights and cache in host memory that the driver "
                          "did not pin: copies are slow.")),
      bytes_(AddCounters("offload_bytes_total",
                         "Bytes over the link between host and device.")),
      busy_(AddCounters("offload_busy_seconds_total",
                        "Seconds of steps in which a stream was busy.")),
      stall_(AddCounters("stall_seconds_total",
                         "Seconds of steps in which a stream was idle.")),
      copies_(AddCounters("offload_seconds_total",
                          "Seconds that copies between host and device took, "
                          "by kind.")),
      computes_(AddCounters("compute_seconds_total",
                            "Seconds that the device computed, by kind of "
                            "work.")),
      recompute_(AddCounters("kv_recompute_seconds_total",
                             "Seconds that keys and values were rebuilt for.")
                     .Add(model_)),
      rebuilt_(AddCounters("rebuilt_tokens_total",
                           "Rows of K and V rebuilt from activations, in one "
                           "layer.")
                   .Add(model_)),
      wall_(AddCounters("step_seconds_total", "Seconds of all steps.")
                .Add(model_)),
      steps_(AddCounters("steps_total", "Steps.").Add(model_)),
      refused_(AddCounters("plans_refused_total", "Plans that gave an error.")
                   .Add(model_)) {}

void WorkerMetrics::SetUp(bool up) { up_.Set(up ? 1 : 0); }

void WorkerMetrics::SetLoadRatio(double ratio) { load_ratio_.Set(ratio); }

void WorkerMetrics::SetProfile(const WorkerProfile& profile) {
  bandwidth_.Add(With({{"dir", "in"}})).Set(profile.link_bytes_per_second);
  bandwidth_.Add(With({{"dir", "out"}})).Set(profile.copy_out_bytes_per_second);
}

void WorkerMetrics::SetMemory(const MemoryPlan& plan, int64_t unpinned_bytes) {
  SetItems("device", plan.device);
  SetItems("host", plan.host);
  unpinned_.Add(model_).Set(static_cast<double>(unpinned_bytes));
}

void WorkerMetrics::CountStep(const StepResult& result) {
  if (!result.status.ok()) refused_.Increment();
  const StepStats& stats = result.stats;
  steps_.Increment();
  wall_.Increment(absl::ToDoubleSeconds(stats.wall));
  rebuilt_.Increment(static_cast<double>(stats.rebuilt_tokens));
  CountStream("link", stats.link_busy, stats.wall);
  CountStream("copy_out", stats.copy_out_busy, stats.wall);
  CountStream("compute", stats.compute_busy, stats.wall);
  CountBytes("in", "weight", stats.weight_bytes);
  CountBytes("in", "kv", stats.kv_bytes);
  CountBytes("in", "act", stats.act_bytes);
  CountBytes("in", "other", stats.other_in_bytes);
  CountBytes("out", "write_back", stats.write_back_bytes);
  CountWork(stats.work);
}

void WorkerMetrics::CountStream(const std::string& stream, absl::Duration busy,
                                absl::Duration wall) {
  const Labels labels = With({{"stream", stream}});
  busy_.Add(labels).Increment(absl::ToDoubleSeconds(busy));
  // Copies that ran ahead between two steps count as the later one's.
  const absl::Duration idle = std::max(wall - busy, absl::ZeroDuration());
  stall_.Add(labels).Increment(absl::ToDoubleSeconds(idle));
}

void WorkerMetrics::CountBytes(const std::string& dir, const std::string& kind,
                               int64_t bytes) {
  bytes_.Add(With({{"dir", dir}, {"kind", kind}}))
      .Increment(static_cast<double>(bytes));
}

void WorkerMetrics::CountWork(const PerWorkKind<WorkTotals>& work) {
  const auto copy = [&](const char* dir, const char* kind, WorkKind of) {
    copies_.Add(With({{"dir", dir}, {"kind", kind}}))
        .Increment(absl::ToDoubleSeconds(work[of].busy));
  };
  copy("in", "weight", WorkKind::kWeights);
  copy("in", "kv", WorkKind::kKv);
  copy("in", "act", WorkKind::kAct);
  copy("in", "other", WorkKind::kInputs);
  copy("out", "write_back", WorkKind::kWriteBack);
  copy("out", "results", WorkKind::kResults);
  const auto compute = [&](const char* kind, WorkKind of) {
    computes_.Add(With({{"kind", kind}}))
        .Increment(absl::ToDoubleSeconds(work[of].busy));
  };
  compute("rebuild", WorkKind::kRebuild);
  compute("forward", WorkKind::kForward);
  compute("attention", WorkKind::kAttention);
  compute("head", WorkKind::kHead);
  recompute_.Increment(absl::ToDoubleSeconds(work[WorkKind::kRebuild].busy));
}

void WorkerMetrics::SetItems(const std::string& tier,
                             const std::vector<MemoryItem>& items) {
  for (const MemoryItem& item : items) {
    memory_
        .Add(With({{"tier", tier},
                   {"use", absl::StrReplaceAll(item.name, {{" ", "_"}})}}))
        .Set(static_cast<double>(item.bytes));
  }
}

WorkerMetrics::CounterFamily& WorkerMetrics::AddCounters(
    const std::string& name, const std::string& help) {
  return prometheus::BuildCounter()
      .Name("hybridserve_" + name)
      .Help(help)
      .Register(*registry_);
}

WorkerMetrics::GaugeFamily& WorkerMetrics::AddGauges(const std::string& name,
                                                     const std::string& help) {
  return prometheus::BuildGauge()
      .Name("hybridserve_" + name)
      .Help(help)
      .Register(*registry_);
}

WorkerMetrics::Labels WorkerMetrics::With(Labels more) const {
  more.insert(model_.begin(), model_.end());
  return more;
}

}  // namespace hybridserve
