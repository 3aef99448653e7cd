#ifndef HYBRIDSERVE_CLIENT_OPENAI_GATEWAY_METRICS_H_
#define HYBRIDSERVE_CLIENT_OPENAI_GATEWAY_METRICS_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace hybridserve::openai {

// Counts HTTP requests, for /metrics; docs/metrics.md has the names.
//
// Thread-safe.
class GatewayMetrics {
 public:
  GatewayMetrics();

  void CountBegin(const std::string& endpoint);
  // `status` is the HTTP status; 499: the client was gone.
  void CountEnd(const std::string& endpoint, int status,
                absl::Duration duration);

  // For an exposer. Shared, as exposers hold registries weakly.
  const std::shared_ptr<prometheus::Registry>& registry() const {
    return registry_;
  }

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Gauge>& running_;
  prometheus::Family<prometheus::Histogram>& seconds_;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_GATEWAY_METRICS_H_
