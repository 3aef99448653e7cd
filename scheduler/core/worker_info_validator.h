#ifndef HYBRIDSERVE_SCHEDULER_CORE_WORKER_INFO_VALIDATOR_H_
#define HYBRIDSERVE_SCHEDULER_CORE_WORKER_INFO_VALIDATOR_H_

#include "absl/status/status.h"
#include "common/worker_info.h"

namespace hybridserve {

// InvalidArgument, naming the field, unless plans can be made for such a
// worker. The model's files are not looked at.
absl::Status ValidateWorkerInfo(const WorkerInfo& info);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_WORKER_INFO_VALIDATOR_H_
