#include "client/bench/embedded_policies.h"

#include <utility>

#include "common/status_macros.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<EmbeddedPolicies>> EmbeddedPolicies::Create(
    const WorkerOptions& worker, SchedulerOptions scheduler,
    MakePolicy make_policy) {
  ASSIGN_OR_RETURN(std::unique_ptr<Worker> loaded, Worker::Create(worker));
  return std::unique_ptr<EmbeddedPolicies>(new EmbeddedPolicies(
      std::move(loaded), std::move(scheduler), std::move(make_policy)));
}

EmbeddedPolicies::EmbeddedPolicies(std::unique_ptr<Worker> worker,
                                   SchedulerOptions scheduler,
                                   MakePolicy make_policy)
    : scheduler_(std::move(scheduler)),
      make_policy_(std::move(make_policy)),
      lender_(std::move(worker)) {}

absl::StatusOr<std::shared_ptr<grpc::Channel>> EmbeddedPolicies::Open(
    const BenchPolicy& policy) {
  server_.reset();  // Gives the worker back.
  SchedulerServerOptions options;
  options.core = scheduler_;
  options.core.term = 0;
  ASSIGN_OR_RETURN(options.policy, make_policy_(policy));
  ASSIGN_OR_RETURN(server_,
                   EmbeddedServer::Start(std::move(options), lender_.Lend()));
  return server_->channel();
}

}  // namespace hybridserve
