#include "client/cli/doctor_cli.h"

#include <iostream>
#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "client/cli/backend.h"
#include "client/cli/failure.h"
#include "client/cli/shared_flags.h"
#include "client/commands/command.h"
#include "client/doctor/doctor_command.h"
#include "common/status_macros.h"
#include "scheduler/flags/scheduler_flags.h"
#include "worker/flags/worker_flags.h"

ABSL_DECLARE_FLAG(std::string, server);       // client/cli/backend
ABSL_DECLARE_FLAG(std::string, output_file);  // client/cli/batch_cli
ABSL_DECLARE_FLAG(std::string, device);       // worker/flags
ABSL_DECLARE_FLAG(int, threads);              // worker/flags

namespace hybridserve {
namespace {

absl::StatusOr<DoctorOptions> DoctorFromFlags() {
  DoctorOptions options;
  ASSIGN_OR_RETURN(options.format, FormatFromFlags());
  options.output_file = absl::GetFlag(FLAGS_output_file);
  options.server = absl::GetFlag(FLAGS_server);
  if (!HasModelDirFlag()) {
    options.worker.device = absl::GetFlag(FLAGS_device);
    options.worker.threads = absl::GetFlag(FLAGS_threads);
    return options;
  }
  ASSIGN_OR_RETURN(options.worker, WorkerOptionsFromFlags());
  ASSIGN_OR_RETURN(const SchedulerOptions scheduler,
                   SchedulerOptionsFromFlags());
  options.worker.max_running = scheduler.max_running;
  return options;
}

}  // namespace

int DoctorMain(Interrupt&) {
  auto options = DoctorFromFlags();
  if (!options.ok()) return Fail(kExitUsage, options.status());
  Backend backend;
  if (HasServerFlag()) options->channel = backend.Open();
  return RunDoctor(*options, std::cout) ? kExitDone : kExitFailed;
}

}  // namespace hybridserve
