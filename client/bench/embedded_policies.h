#ifndef HYBRIDSERVE_CLIENT_BENCH_EMBEDDED_POLICIES_H_
#define HYBRIDSERVE_CLIENT_BENCH_EMBEDDED_POLICIES_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "client/bench/bench_runner.h"
#include "client/bench/worker_lender.h"
#include "client/embedded_server.h"
#include "grpcpp/channel.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/policy/policy.h"
#include "worker/worker_options.h"

namespace hybridserve {

// Servers inside this process that differ in their policy only: one worker,
// loaded once, and a scheduler made anew for every Open(). Thread-compatible.
class EmbeddedPolicies {
 public:
  using MakePolicy = std::function<absl::StatusOr<std::unique_ptr<Policy>>(
      const BenchPolicy&)>;

  // Loads the worker. Its errors.
  static absl::StatusOr<std::unique_ptr<EmbeddedPolicies>> Create(
      const WorkerOptions& worker, SchedulerOptions scheduler,
      MakePolicy make_policy);

  // Ends the server before and starts one with `policy`, which has nothing to
  // do yet. The channel is good until the next call.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Open(
      const BenchPolicy& policy);

 private:
  EmbeddedPolicies(std::unique_ptr<Worker> worker, SchedulerOptions scheduler,
                   MakePolicy make_policy);

  const SchedulerOptions scheduler_;
  const MakePolicy make_policy_;
  WorkerLender lender_;
  std::unique_ptr<EmbeddedServer> server_;  // Has what `lender_` lent.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_EMBEDDED_POLICIES_H_
