#ifndef HYBRIDSERVE_CLIENT_PLAN_PLAN_COMMAND_H_
#define HYBRIDSERVE_CLIENT_PLAN_PLAN_COMMAND_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "client/commands/command.h"
#include "client/plan/plan_runner.h"

namespace hybridserve {

struct PlanCommandOptions {
  PlanOptions plan;
  std::string json_file;  // Empty: none. Likewise below.
  std::string svg_file;
  OutputFormat format = OutputFormat::kText;  // On stdout.
};

// `hybridserve plan`: loads the model on a worker in this process, measures
// what each kind of work costs, and prints what each policy would do and how
// fast it would be; writes the files that are asked for. Nothing is generated.
// Progress goes to `progress`.
absl::Status RunPlan(const PlanCommandOptions& options,
                     const MakePolicy& make_policy, std::ostream& progress,
                     std::ostream& out);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_PLAN_PLAN_COMMAND_H_
