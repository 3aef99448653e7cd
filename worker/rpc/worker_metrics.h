#ifndef HYBRIDSERVE_WORKER_RPC_WORKER_METRICS_H_
#define HYBRIDSERVE_WORKER_RPC_WORKER_METRICS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/step_result.h"
#include "common/work.h"
#include "common/worker_info.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "worker/memory_plan.h"

namespace hybridserve {

// A worker's own metrics, with label model_name: how far it is, what it holds
// and what its steps cost.
//
// Thread-safe.
class WorkerMetrics {
 public:
  explicit WorkerMetrics(const std::string& model_name);

  // Whether a scheduler has the worker.
  void SetUp(bool up);
  // Share of the checkpoint that is loaded, 0 to 1.
  void SetLoadRatio(double ratio);
  // What it measured and what it holds, once it is loaded.
  void SetProfile(const WorkerProfile& profile);
  // `unpinned_bytes`: of weights and cache (Worker::unpinned_bytes()).
  void SetMemory(const MemoryPlan& plan, int64_t unpinned_bytes);
  void CountStep(const StepResult& result);

  // For an exposer. Shared, as exposers hold registries weakly.
  const std::shared_ptr<prometheus::Registry>& registry() const {
    return registry_;
  }

 private:
  using Labels = std::map<std::string, std::string>;
  using CounterFamily = prometheus::Family<prometheus::Counter>;
  using GaugeFamily = prometheus::Family<prometheus::Gauge>;

  CounterFamily& AddCounters(const std::string& name, const std::string& help);
  GaugeFamily& AddGauges(const std::string& name, const std::string& help);
  // The model's label and more.
  Labels With(Labels more) const;
  void CountStream(const std::string& stream, absl::Duration busy,
                   absl::Duration wall);
  void CountBytes(const std::string& dir, const std::string& kind,
                  int64_t bytes);
  void CountWork(const PerWorkKind<WorkTotals>& work);
  void SetItems(const std::string& tier, const std::vector<MemoryItem>& items);

  const Labels model_;
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Gauge& up_;
  prometheus::Gauge& load_ratio_;
  GaugeFamily& bandwidth_;
  GaugeFamily& memory_;
  GaugeFamily& unpinned_;
  CounterFamily& bytes_;
  CounterFamily& busy_;
  CounterFamily& stall_;
  CounterFamily& copies_;
  CounterFamily& computes_;
  prometheus::Counter& recompute_;
  prometheus::Counter& rebuilt_;
  prometheus::Counter& wall_;
  prometheus::Counter& steps_;
  prometheus::Counter& refused_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_RPC_WORKER_METRICS_H_
