#include "client/plan/plan_command.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/bench/machine_info.h"
#include "client/chart/figure.h"
#include "client/plan/plan_chart.h"
#include "client/plan/plan_json.h"
#include "client/plan/plan_table.h"
#include "client/text_file.h"
#include "common/dtype.h"
#include "common/model_config_json.h"
#include "common/status_macros.h"
#include "hybridserve/v1/load.pb.h"
#include "worker/worker.h"

namespace hybridserve {
namespace {

// Loads and measures; the worker is gone when it returns.
absl::StatusOr<PlannedWorker> MeasureWorker(const WorkerOptions& options,
                                            std::ostream& progress) {
  std::string phase;
  ASSIGN_OR_RETURN(const std::unique_ptr<Worker> worker,
                   Worker::Create(options, [&](const LoadProgress& loading) {
                     if (loading.phase == phase) return;
                     phase = loading.phase;
                     progress << "plan: " << phase << std::endl;
                   }));
  PlannedWorker planned = {.info = worker->info(),
                           .memory = worker->memory_plan()};
  ASSIGN_OR_RETURN(planned.config,
                   ParseModelConfig(planned.info.files.config_json));
  return planned;
}

MachineInfo Describe(const WorkerInfo& info) {
  v1::Worker worker;
  worker.set_device(info.device);
  worker.set_model(info.model_name);
  worker.mutable_numerics()->set_dtype(absl::StrCat(Name(info.numerics.dtype)));
  worker.set_link_bytes_per_second(info.profile.link_bytes_per_second);
  return DescribeMachine(worker);
}

}  // namespace

absl::Status RunPlan(const PlanCommandOptions& options,
                     const MakePolicy& make_policy, std::ostream& progress,
                     std::ostream& out) {
  ASSIGN_OR_RETURN(const PlannedWorker worker,
                   MeasureWorker(options.plan.worker, progress));
  progress << "plan: simulating" << std::endl;
  ASSIGN_OR_RETURN(const std::vector<PolicyForecast> forecasts,
                   ForecastAll(options.plan, worker, make_policy));
  const MachineInfo machine = Describe(worker.info);
  const nlohmann::ordered_json json = PlanToJson(machine, forecasts);
  if (options.format == OutputFormat::kJson) {
    out << json.dump() << std::endl;
  } else {
    out << PlanToTable(machine, forecasts) << std::flush;
  }
  RETURN_IF_ERROR(WriteTextFile(options.json_file, json.dump(2) + "\n"));
  return WriteTextFile(options.svg_file, ToSvg(PlanFigure(machine, forecasts)));
}

}  // namespace hybridserve
