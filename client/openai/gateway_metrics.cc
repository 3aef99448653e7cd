#include "client/openai/gateway_metrics.h"

#include "absl/strings/str_cat.h"

namespace hybridserve::openai {
namespace {

const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries{
      0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000};
  return buckets;
}

}  // namespace

GatewayMetrics::GatewayMetrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      requests_(prometheus::BuildCounter()
                    .Name("hybridserve_openai_requests_total")
                    .Help("HTTP requests that ended, by status; 499: the "
                          "client was gone.")
                    .Register(*registry_)),
      running_(prometheus::BuildGauge()
                   .Name("hybridserve_openai_requests_running")
                   .Help("HTTP requests under way.")
                   .Register(*registry_)),
      seconds_(prometheus::BuildHistogram()
                   .Name("hybridserve_openai_request_seconds")
                   .Help("From a request's arrival, whole, to the end of its "
                         "reply.")
                   .Register(*registry_)) {}

void GatewayMetrics::CountBegin(const std::string& endpoint) {
  running_.Add({{"endpoint", endpoint}}).Increment();
}

void GatewayMetrics::CountEnd(const std::string& endpoint, int status,
                              absl::Duration duration) {
  running_.Add({{"endpoint", endpoint}}).Decrement();
  requests_.Add({{"endpoint", endpoint}, {"status", absl::StrCat(status)}})
      .Increment();
  seconds_.Add({{"endpoint", endpoint}}, Buckets())
      .Observe(absl::ToDoubleSeconds(duration));
}

}  // namespace hybridserve::openai
