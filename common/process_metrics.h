#ifndef HYBRIDSERVE_COMMON_PROCESS_METRICS_H_
#define HYBRIDSERVE_COMMON_PROCESS_METRICS_H_

#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace hybridserve {

// This process and its build, as Prometheus's own clients tell of theirs:
// process_resident_memory_bytes, process_cpu_seconds_total and the like, and
// hybridserve_build_info. Read from /proc whenever they are asked for; what
// can't be read is left out.
//
// Thread-safe.
class ProcessMetrics final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_PROCESS_METRICS_H_
