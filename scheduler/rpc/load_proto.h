#ifndef HYBRIDSERVE_SCHEDULER_RPC_LOAD_PROTO_H_
#define HYBRIDSERVE_SCHEDULER_RPC_LOAD_PROTO_H_

#include "hybridserve/v1/load.pb.h"
#include "scheduler/core/snapshot.h"
#include "scheduler/rpc/request_metrics.h"
#include "scheduler/rpc/worker_directory.h"

namespace hybridserve {

// The core's state in the API's words, with what the directory knows of its
// workers and the counts of requests.
v1::Load LoadToProto(const SchedulerSnapshot& snapshot,
                     const WorkerDirectory& directory,
                     const RequestMetrics& metrics);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_LOAD_PROTO_H_
