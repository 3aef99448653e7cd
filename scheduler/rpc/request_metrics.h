#ifndef HYBRIDSERVE_SCHEDULER_RPC_REQUEST_METRICS_H_
#define HYBRIDSERVE_SCHEDULER_RPC_REQUEST_METRICS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "scheduler/core/request.h"
#include "scheduler/rpc/request_labels.h"
#include "scheduler/rpc/tenant_labels.h"

namespace hybridserve {

// Counts what becomes of requests, for /metrics and GetLoad; by model, and for
// accounts by tenant.
//
// Thread-safe.
class RequestMetrics {
 public:
  // Tenants with series of their own; those after them share one, "other".
  static constexpr int64_t kMaxTenants = 100;

  // What changes with every token of one request: found once, as finding takes
  // a lock and hashing. No longer than the metrics.
  class TokenSeries {
   public:
    // A token was shown, so long after the one before; not set: the first.
    void Count(std::optional<absl::Duration> gap) const;

   private:
    friend class RequestMetrics;
    prometheus::Counter* tokens_;
    prometheus::Counter* tenant_tokens_;
    prometheus::Histogram* gaps_;
  };

  RequestMetrics();

  TokenSeries TokensOf(const RequestLabels& labels);
  // The prompt has run through the model: once a request, replayed or not.
  void CountPrompt(const RequestLabels& labels, int64_t tokens);
  // A request ended well. Its tokens were counted before.
  void CountFinished(const RequestLabels& labels, FinishReason reason,
                     const Usage& usage);
  // It ended by an error after it was accepted.
  void CountFailed(const RequestLabels& labels, const absl::Status& status);
  // It was refused. No tenant: it was not known by then.
  void CountRejected(const std::optional<std::string>& tenant,
                     const absl::Status& status);

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
  void CountOutcome(const std::string& tenant, absl::string_view outcome);

  const std::shared_ptr<prometheus::Registry> registry_;
  TenantLabels tenants_{kMaxTenants};
  CounterFamily& finished_;
  CounterFamily& failed_;
  CounterFamily& rejected_;
  CounterFamily& prompt_tokens_;
  CounterFamily& completion_tokens_;
  HistogramFamily& queue_seconds_;
  HistogramFamily& first_token_seconds_;
  HistogramFamily& inter_token_seconds_;
  HistogramFamily& per_token_seconds_;
  HistogramFamily& prefill_seconds_;
  HistogramFamily& decode_seconds_;
  HistogramFamily& total_seconds_;
  CounterFamily& tenant_requests_;
  CounterFamily& tenant_prompt_tokens_;
  CounterFamily& tenant_completion_tokens_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_REQUEST_METRICS_H_
