#include "worker/profile/work_profiler.h"

#include <memory>

#include "common/status_macros.h"
#include "kernels/device/device.h"
#include "worker/offload/workspace.h"
#include "worker/profile/compute_profiler.h"
#include "worker/profile/copy_profiler.h"

namespace hybridserve {
namespace {

constexpr WorkKind kCopies[] = {WorkKind::kWeights, WorkKind::kKv,
                                WorkKind::kAct,     WorkKind::kInputs,
                                WorkKind::kResults, WorkKind::kWriteBack};
constexpr WorkKind kComputed[] = {WorkKind::kRebuild, WorkKind::kForward,
                                  WorkKind::kAttention, WorkKind::kHead};

}  // namespace

absl::StatusOr<WorkProfile> MeasureWork(
    EngineResources& resources, absl::FunctionRef<void(WorkKind)> progress) {
  Device& device = *resources.device;
  const std::unique_ptr<Stream> compute =
      device.CreateStream(StreamKind::kCompute);
  const std::unique_ptr<Stream> copy_in =
      device.CreateStream(StreamKind::kCopyIn);
  const std::unique_ptr<Stream> copy_out =
      device.CreateStream(StreamKind::kCopyOut);
  ASSIGN_OR_RETURN(const std::unique_ptr<Workspace> workspace,
                   Workspace::Create(device, resources.config, resources.plan,
                                     resources.memory.step));
  WorkProfile profile;
  {
    ASSIGN_OR_RETURN(
        const std::unique_ptr<ComputeProfiler> profiler,
        ComputeProfiler::Create(resources, *workspace, *copy_in, *compute));
    for (const WorkKind kind : kComputed) {
      progress(kind);
      ASSIGN_OR_RETURN(profile.fits[kind], profiler->Time(kind));
    }
  }
  if (resources.memory.one_memory) return profile;
  ASSIGN_OR_RETURN(
      const std::unique_ptr<CopyProfiler> profiler,
      CopyProfiler::Create(resources, *workspace, *copy_in, *copy_out));
  for (const WorkKind kind : kCopies) {
    progress(kind);
    ASSIGN_OR_RETURN(profile.fits[kind], profiler->Time(kind));
  }
  return profile;
}

}  // namespace hybridserve
