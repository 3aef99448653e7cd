#ifndef HYBRIDSERVE_SCHEDULER_RPC_WORKER_SERIES_H_
#define HYBRIDSERVE_SCHEDULER_RPC_WORKER_SERIES_H_

#include <vector>

#include "hybridserve/v1/load.pb.h"
#include "prometheus/metric_family.h"

namespace hybridserve {

// What the scheduler knows of its workers as Prometheus metrics, with labels
// model_name and worker: caches, what the steps cost, what was measured.
void AddWorkerSeries(const v1::Load& load,
                     std::vector<prometheus::MetricFamily>& families);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_WORKER_SERIES_H_
