#include "client/cli/bench_cli.h"

#include <iostream>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/bench/bench_command.h"
#include "client/bench/bench_flags.h"
#include "client/bench/embedded_policies.h"
#include "client/cli/backend.h"
#include "client/cli/failure.h"
#include "client/cli/shared_flags.h"
#include "client/commands/command.h"
#include "client/policy_worker.h"
#include "common/status_macros.h"
#include "scheduler/flags/scheduler_flags.h"
#include "worker/flags/worker_flags.h"

namespace hybridserve {
namespace {

absl::StatusOr<BenchCommandOptions> BenchFromFlags() {
  const bool embedded = !HasServerFlag();
  ASSIGN_OR_RETURN(BenchCommandOptions options,
                   BenchCommandFromFlags(embedded));
  ASSIGN_OR_RETURN(options.format, FormatFromFlags());
  options.bench.model = absl::GetFlag(FLAGS_model);
  options.bench.seed = absl::GetFlag(FLAGS_seed).value_or(options.bench.seed);
  return options;
}

// bench without a server: all policies in turn.
absl::Status BenchPolicies(const BenchCommandOptions& options,
                           const WorkerOptions& worker,
                           const SchedulerOptions& scheduler) {
  EmbeddedPolicies policies(
      scheduler,
      [&](const BenchPolicy& policy)
          -> absl::StatusOr<EmbeddedPolicies::Setting> {
        EmbeddedPolicies::Setting setting;
        ASSIGN_OR_RETURN(setting.policy,
                         PolicyFromFlags(PolicyFlagsOf(policy)));
        ASSIGN_OR_RETURN(setting.worker,
                         WorkerForBench(worker, policy, options.bench));
        return setting;
      });
  return RunBench(
      options, [&](const BenchPolicy& policy) { return policies.Open(policy); },
      std::cout);
}

}  // namespace

int BenchMain(Interrupt&) {
  const bool server = HasServerFlag();
  if (server == HasModelDirFlag()) {
    return Fail(kExitUsage, absl::InvalidArgumentError(
                                "needs one of --server and --model_dir"));
  }
  const auto options = BenchFromFlags();
  if (!options.ok()) return Fail(kExitUsage, options.status());
  if (server) {
    return RunOnBackend(false, [&](auto channel) {
      return RunBenchOnServer(*options, std::move(channel), std::cout);
    });
  }
  auto scheduler = SchedulerOptionsFromFlags();
  if (!scheduler.ok()) return Fail(kExitUsage, scheduler.status());
  auto worker = WorkerOptionsFromFlags();
  if (!worker.ok()) return Fail(kExitUsage, worker.status());
  scheduler->max_running = MaxRunningFor(*scheduler, options->bench.batch);
  worker->max_running = scheduler->max_running;
  return End(BenchPolicies(*options, *worker, *scheduler));
}

}  // namespace hybridserve
