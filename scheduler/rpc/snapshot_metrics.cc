#include "scheduler/rpc/snapshot_metrics.h"

#include <string>

#include "common/metric_family.h"
#include "scheduler/rpc/worker_series.h"

namespace hybridserve {
namespace {

using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

void AddGauge(const std::string& name, const std::string& help, double value,
              std::vector<MetricFamily>& families) {
  MetricFamilyBuilder(families, "hybridserve_" + name, help, MetricType::Gauge)
      .Add({}, value);
}

void AddQueue(const v1::Queue& queue, std::vector<MetricFamily>& families) {
  AddGauge("requests_running", "Requests on workers.", queue.running(),
           families);
  AddGauge("requests_waiting", "Requests in the queue.", queue.waiting(),
           families);
  AddGauge("waiting_tokens",
           "Prompt and max_tokens of the requests in the queue.",
           static_cast<double>(queue.waiting_tokens()), families);
  AddGauge("max_queue_requests",
           "Requests in the queue beyond which more are refused.",
           queue.max_requests(), families);
  AddGauge("max_queue_tokens",
           "Tokens of requests in the queue beyond which more are refused.",
           static_cast<double>(queue.max_tokens()), families);
}

}  // namespace

std::vector<MetricFamily> SnapshotMetrics::Collect() const {
  std::vector<MetricFamily> families;
  const std::optional<v1::Load> load = source_();
  if (!load.has_value()) return families;
  AddQueue(load->queue(), families);
  MetricFamilyBuilder(families, "hybridserve_request_replays_total",
                      "Moves of requests to another worker, theirs being lost.",
                      MetricType::Counter)
      .Add({}, static_cast<double>(load->requests().replays()));
  AddWorkerSeries(*load, families);
  return families;
}

}  // namespace hybridserve
