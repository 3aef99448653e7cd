#include "common/metric_family.h"

#include <utility>

#include "glog/logging.h"

namespace hybridserve {

using ::prometheus::ClientMetric;
using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

MetricFamilyBuilder::MetricFamilyBuilder(std::vector<MetricFamily>& families,
                                         const std::string& name,
                                         const std::string& help,
                                         MetricType type)
    : families_(families) {
  CHECK(type == MetricType::Counter || type == MetricType::Gauge) << name;
  family_.name = name;
  family_.help = help;
  family_.type = type;
}

MetricFamilyBuilder::~MetricFamilyBuilder() {
  families_.push_back(std::move(family_));
}

void MetricFamilyBuilder::Add(MetricLabels labels, double value) {
  ClientMetric& metric = family_.metric.emplace_back();
  metric.label = std::move(labels);
  if (family_.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

}  // namespace hybridserve
