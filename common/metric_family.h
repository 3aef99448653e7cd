#ifndef HYBRIDSERVE_COMMON_METRIC_FAMILY_H_
#define HYBRIDSERVE_COMMON_METRIC_FAMILY_H_

#include <string>
#include <vector>

#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"
#include "prometheus/metric_type.h"

namespace hybridserve {

using MetricLabels = std::vector<prometheus::ClientMetric::Label>;

// One metric name with its values, for those who make metrics up whenever they
// are asked for. Thread-compatible.
class MetricFamilyBuilder {
 public:
  // Goes to the end of `families`, which outlives this, with the destructor.
  // `name` is whole; Counter or Gauge.
  MetricFamilyBuilder(std::vector<prometheus::MetricFamily>& families,
                      const std::string& name, const std::string& help,
                      prometheus::MetricType type);
  ~MetricFamilyBuilder();
  MetricFamilyBuilder(const MetricFamilyBuilder&) = delete;
  MetricFamilyBuilder& operator=(const MetricFamilyBuilder&) = delete;

  // No labels twice.
  void Add(MetricLabels labels, double value);

 private:
  std::vector<prometheus::MetricFamily>& families_;
  prometheus::MetricFamily family_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_METRIC_FAMILY_H_
