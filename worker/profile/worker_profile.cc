#include "worker/profile/worker_profile.h"

#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/profile/profile_file.h"
#include "worker/profile/work_profiler.h"

namespace hybridserve {
namespace {

// Units a second of many units; infinite where they cost nothing.
double Rate(const WorkProfile& profile, WorkKind kind) {
  const double slope = profile.cost(kind).seconds_per_unit;
  return slope > 0 ? 1 / slope : std::numeric_limits<double>::infinity();
}

void LogFits(const WorkProfile& profile) {
  for (const WorkKind kind : kAllWorkKinds) {
    const WorkFit& fit = profile.fits[kind];
    if (fit.samples.empty()) continue;
    LOG(INFO) << "profile kind=\"" << Name(kind)
              << "\" fixed=" << fit.cost.fixed
              << " seconds_per_unit=" << fit.cost.seconds_per_unit
              << " r_squared=" << fit.cost.r_squared
              << " samples=" << fit.samples.size();
  }
}

}  // namespace

WorkerProfile WithRates(WorkProfile work, const ModelConfig& config) {
  const double forward_flops =
      2 * static_cast<double>(config.LayerParameters());
  WorkerProfile profile = {
      .link_bytes_per_second = Rate(work, WorkKind::kWeights),
      .copy_out_bytes_per_second = Rate(work, WorkKind::kWriteBack),
      .gemm_flops_per_second = forward_flops * Rate(work, WorkKind::kForward)};
  profile.work = std::move(work);
  return profile;
}

absl::StatusOr<WorkerProfile> MeasureWorkerProfile(EngineResources& resources) {
  ASSIGN_OR_RETURN(WorkProfile work, MeasureWork(resources, [](WorkKind) {}));
  return WithRates(std::move(work), resources.config);
}

absl::StatusOr<WorkerProfile> MakeWorkerProfile(
    const WorkerOptions& options, EngineResources& resources,
    absl::FunctionRef<void(WorkKind)> progress) {
  const std::string& file = options.profile_file;
  SavedProfile saved = {.setting = ProfileSetting(resources,
                                                  options.link_bytes_per_second,
                                                  options.threads)};
  if (!file.empty()) {
    absl::StatusOr<SavedProfile> loaded = LoadProfile(file);
    if (loaded.ok() && loaded->setting == saved.setting) {
      LOG(INFO) << "profile read from " << file;
      LogFits(loaded->profile);
      return WithRates(std::move(loaded->profile), resources.config);
    }
    if (loaded.ok()) {
      LOG(WARNING) << file << " is replaced: it was measured on \""
                   << loaded->setting << "\", this is \"" << saved.setting
                   << "\"";
    } else if (!absl::IsNotFound(loaded.status())) {
      return loaded.status();
    }
  }
  ASSIGN_OR_RETURN(saved.profile, MeasureWork(resources, progress));
  LogFits(saved.profile);
  if (!file.empty()) RETURN_IF_ERROR(SaveProfile(saved, file));
  return WithRates(std::move(saved.profile), resources.config);
}

}  // namespace hybridserve
