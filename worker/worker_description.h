#ifndef HYBRIDSERVE_WORKER_WORKER_DESCRIPTION_H_
#define HYBRIDSERVE_WORKER_WORKER_DESCRIPTION_H_

#include "common/worker_info.h"
#include "worker/offload/engine_resources.h"

namespace hybridserve {

// What a worker over `resources` registers: device, numerics class, pools and
// limits. The model's name, files and hash, the worker's name and epoch and the
// profile are the caller's to add. Pure.
WorkerInfo DescribeWorker(const EngineResources& resources);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_WORKER_DESCRIPTION_H_
