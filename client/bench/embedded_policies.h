#ifndef HYBRIDSERVE_CLIENT_BENCH_EMBEDDED_POLICIES_H_
#define HYBRIDSERVE_CLIENT_BENCH_EMBEDDED_POLICIES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/bench/bench_runner.h"
#include "client/bench/worker_lender.h"
#include "client/embedded_server.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/policy/policy.h"
#include "worker/worker_options.h"

namespace hybridserve {

// Servers inside this process that differ in their policy: a scheduler made
// anew for every Open(), over a worker that stays loaded while the policies
// that come want it as it is. One worker is in memory at a time. Its costs are
// measured anew too, unless they come from a file.
// Thread-compatible.
class EmbeddedPolicies {
 public:
  // A policy and the worker that it runs on.
  struct Setting {
    std::unique_ptr<Policy> policy;
    WorkerOptions worker;
  };
  using MakeSetting =
      std::function<absl::StatusOr<Setting>(const BenchPolicy&)>;

  EmbeddedPolicies(const SchedulerOptions& scheduler, MakeSetting make_setting)
      : scheduler_(scheduler), make_setting_(std::move(make_setting)) {}

  // Ends the server before and starts one with `policy`, which has nothing to
  // do yet. The channel is good until the next call. The worker's errors.
  absl::StatusOr<OpenedServer> Open(const BenchPolicy& policy);

 private:
  // Equal for equal options.
  int64_t NumberOf(const WorkerOptions& worker);

  const SchedulerOptions scheduler_;
  const MakeSetting make_setting_;
  std::vector<WorkerOptions> seen_;         // All that were wanted so far.
  WorkerOptions loaded_;                    // What `lender_` has.
  std::unique_ptr<WorkerLender> lender_;    // Null before the first Open().
  std::unique_ptr<EmbeddedServer> server_;  // Has what `lender_` lent.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_EMBEDDED_POLICIES_H_
