#include "client/bench/embedded_policies.h"

#include <algorithm>

#include "common/status_macros.h"
#include "scheduler/scheduler_options.h"
#include "worker/worker.h"

namespace hybridserve {

int64_t EmbeddedPolicies::NumberOf(const WorkerOptions& worker) {
  const auto it = std::find(seen_.begin(), seen_.end(), worker);
  const int64_t number = it - seen_.begin();
  if (it == seen_.end()) seen_.push_back(worker);
  return number;
}

absl::StatusOr<OpenedServer> EmbeddedPolicies::Open(const BenchPolicy& policy) {
  server_.reset();  // Gives the worker back.
  ASSIGN_OR_RETURN(Setting setting, make_setting_(policy));
  if (lender_ == nullptr || setting.worker != loaded_) {
    lender_.reset();  // Makes room for the next.
    ASSIGN_OR_RETURN(std::unique_ptr<Worker> worker,
                     Worker::Create(setting.worker));
    lender_ = std::make_unique<WorkerLender>(std::move(worker));
    loaded_ = setting.worker;
  } else if (loaded_.profile_file.empty()) {
    // A machine's speed drifts: each server's costs are of its own time.
    RETURN_IF_ERROR(lender_->Measure());
  }
  SchedulerServerOptions options;
  options.core = scheduler_;
  options.core.term = 0;
  options.policy = std::move(setting.policy);
  ASSIGN_OR_RETURN(server_,
                   EmbeddedServer::Start(std::move(options), lender_->Lend()));
  return OpenedServer{.channel = server_->channel(),
                      .worker_setting = NumberOf(loaded_)};
}

}  // namespace hybridserve
