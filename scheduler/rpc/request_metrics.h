#ifndef HYBRIDSERVE_SCHEDULER_RPC_REQUEST_METRICS_H_
#define HYBRIDSERVE_SCHEDULER_RPC_REQUEST_METRICS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "scheduler/core/request.h"

namespace hybridserve {

// Counts what became of requests, for /metrics and GetLoad.
//
// Thread-safe.
class RequestMetrics {
 public:
  RequestMetrics();

  // A request of `model` ended well.
  void CountFinished(const std::string& model, FinishReason reason,
                     const Usage& usage);
  // It was refused / ended by an error after it was accepted.
  void CountRejected(const absl::Status& status);
  void CountFailed(const std::string& model, const absl::Status& status);

  int64_t rejected() const;
  int64_t prompt_tokens() const;
  int64_t completion_tokens() const;

  // For an exposer. Shared, as exposers hold registries weakly.
  const std::shared_ptr<prometheus::Registry>& registry() const {
    return registry_;
  }

 private:
  using CounterFamily = prometheus::Family<prometheus::Counter>;
  using HistogramFamily = prometheus::Family<prometheus::Histogram>;

  CounterFamily& AddCounters(const std::string& name, const std::string& help);
  HistogramFamily& AddHistograms(const std::string& name,
                                 const std::string& help);

  const std::shared_ptr<prometheus::Registry> registry_;
  CounterFamily& finished_;
  CounterFamily& failed_;
  CounterFamily& rejected_;
  CounterFamily& prompt_tokens_;
  CounterFamily& completion_tokens_;
  HistogramFamily& queue_seconds_;
  HistogramFamily& first_token_seconds_;
  HistogramFamily& inter_token_seconds_;
  HistogramFamily& total_seconds_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_REQUEST_METRICS_H_
