#include "client/plan/plan_flags.h"

#include <utility>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/bench/bench_command.h"
#include "client/bench/bench_flags.h"
#include "common/status_macros.h"
#include "scheduler/flags/scheduler_flags.h"
#include "worker/flags/worker_flags.h"

ABSL_DECLARE_FLAG(std::string, device);  // worker/flags

namespace hybridserve {
namespace {

// The worker measures the device that it would choose.
absl::Status CheckDevice(const std::string& device) {
  if (device == "measured" || device == "auto") return absl::OkStatus();
  if (absl::StartsWith(device, "sim:")) {
    return absl::UnimplementedError(absl::StrCat(
        "--device: ", device,
        " is not built yet; --device=measured plans for this machine"));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--device: \"", device, "\" is neither measured nor sim:NAME"));
}

}  // namespace

absl::StatusOr<PlanCommandOptions> PlanCommandFromFlags(
    const std::string& model) {
  RETURN_IF_ERROR(CheckDevice(absl::GetFlag(FLAGS_device)));
  if (!model.empty()) {
    return absl::UnimplementedError(
        "--model: what a model costs on this machine is measured with its "
        "layers; give --model_dir, whose config.json is enough with "
        "--random_weights");
  }
  ASSIGN_OR_RETURN(BenchCommandOptions bench,
                   BenchCommandFromFlags(/*embedded=*/true));
  PlanCommandOptions options = {.json_file = std::move(bench.json_file),
                                .svg_file = std::move(bench.svg_file)};
  PlanOptions& plan = options.plan;
  plan.load = std::move(bench.bench);
  ASSIGN_OR_RETURN(plan.worker, WorkerOptionsFromFlags());
  plan.worker.device = "auto";
  for (const BenchPolicy& policy : plan.load.policies) {
    if (policy.relays() && !plan.worker.unpinned_cache) {
      return absl::InvalidArgumentError(
          "--flexgen_relay: plan measures one worker for all policies; give "
          "--unpinned_cache too, and compare with a plan without either");
    }
  }
  ASSIGN_OR_RETURN(plan.scheduler, SchedulerOptionsFromFlags());
  plan.scheduler.max_running = MaxRunningFor(plan.scheduler, plan.load.batch);
  plan.worker.max_running = plan.scheduler.max_running;
  return options;
}

}  // namespace hybridserve
