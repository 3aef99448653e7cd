#ifndef HYBRIDSERVE_WORKER_PROFILE_COPY_PROFILER_H_
#define HYBRIDSERVE_WORKER_PROFILE_COPY_PROFILER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/work.h"
#include "common/work_profile.h"
#include "kernels/device/device.h"
#include "worker/offload/engine_resources.h"
#include "worker/offload/relay.h"
#include "worker/offload/workspace.h"

namespace hybridserve {

// Times what crosses the link: weights, KV and ACT blocks, inputs; rows that
// are written back; cached rows by way of the relays, where there are any. For
// devices with a memory of their own. Thread-compatible.
class CopyProfiler {
 public:
  // All are borrowed and outlive it.
  static absl::StatusOr<std::unique_ptr<CopyProfiler>> Create(
      const EngineResources& resources, const Workspace& workspace,
      Stream& copy_in, Stream& copy_out);

  // Of a kind that is a copy (CHECKed).
  absl::StatusOr<WorkFit> Time(WorkKind kind);

 private:
  CopyProfiler(const EngineResources& resources, const Workspace& workspace,
               Stream& copy_in, Stream& copy_out)
      : resources_(resources),
        workspace_(workspace),
        copy_in_(copy_in),
        copy_out_(copy_out) {}

  absl::StatusOr<WorkFit> TimeWeights();
  // Blocks of two half-slots (KV) or one (ACT), none beside another.
  absl::StatusOr<WorkFit> TimeBlocks(WorkKind kind);
  absl::StatusOr<WorkFit> TimeInputs();
  absl::StatusOr<WorkFit> TimeResults();
  // One row of K and one of V for each sequence.
  absl::StatusOr<WorkFit> TimeWriteBack();

  const EngineResources& resources_;
  const Workspace& workspace_;
  Stream& copy_in_;
  Stream& copy_out_;
  std::unique_ptr<Relay> relay_in_;
  std::unique_ptr<Relay> relay_out_;
  std::unique_ptr<Buffer> scratch_;  // On the device.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_PROFILE_COPY_PROFILER_H_
