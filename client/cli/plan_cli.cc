#include "client/cli/plan_cli.h"

#include <iostream>

#include "absl/flags/flag.h"
#include "client/bench/bench_flags.h"
#include "client/cli/backend.h"
#include "client/cli/failure.h"
#include "client/cli/shared_flags.h"
#include "client/commands/command.h"
#include "client/plan/plan_command.h"
#include "client/plan/plan_flags.h"
#include "common/flag_error.h"
#include "scheduler/flags/scheduler_flags.h"

namespace hybridserve {

int PlanMain(Interrupt&) {
  if (HasServerFlag()) {
    return Fail(kExitUsage,
                WrongFlag("server", "plan measures this machine alone"));
  }
  auto options = PlanCommandFromFlags(absl::GetFlag(FLAGS_model));
  if (!options.ok()) return Fail(kExitUsage, options.status());
  const auto format = FormatFromFlags();
  if (!format.ok()) return Fail(kExitUsage, format.status());
  options->format = *format;
  return End(RunPlan(
      *options,
      [](const BenchPolicy& policy) {
        return PolicyFromFlags(PolicyFlagsOf(policy));
      },
      std::cerr, std::cout));
}

}  // namespace hybridserve
