#ifndef HYBRIDSERVE_WORKER_PROFILE_COMPUTE_PROFILER_H_
#define HYBRIDSERVE_WORKER_PROFILE_COMPUTE_PROFILER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/work.h"
#include "common/work_profile.h"
#include "kernels/device/device.h"
#include "worker/model/decoder.h"
#include "worker/offload/engine_resources.h"
#include "worker/offload/workspace.h"
#include "worker/profile/layer_on_device.h"

namespace hybridserve {

// Times what the device computes, by the decoder's own ops, alone but on what
// has just been copied in: a step never finds weights or cached rows in the
// computing cores' own caches (docs/decisions/0015). Thread-compatible.
class ComputeProfiler {
 public:
  // All are borrowed and outlive it. `copy_in` brings weights and cached rows.
  static absl::StatusOr<std::unique_ptr<ComputeProfiler>> Create(
      const EngineResources& resources, const Workspace& workspace,
      Stream& copy_in, Stream& compute);

  // Of a kind that is computed (CHECKed).
  absl::StatusOr<WorkFit> Time(WorkKind kind);

 private:
  ComputeProfiler(const EngineResources& resources, const Workspace& workspace,
                  Stream& copy_in, Stream& compute);

  // K and V, rebuilt into a staging area from its ACT rows.
  absl::StatusOr<WorkFit> TimeRebuild();
  absl::StatusOr<WorkFit> TimeForward();
  // One new row for each of some sequences of one length.
  absl::StatusOr<WorkFit> TimeAttention();
  absl::StatusOr<WorkFit> TimeHead();

  // Bytes of the staging area that were not used for the longest: a step, too,
  // writes where the caches have long forgotten.
  BufferView NextStaging(int64_t bytes);
  // Copies rows (zeros) to there, and waits.
  absl::Status Bring(const BufferView& rows);
  // Views of `count` rows for the decoder.
  LayerRows Rows(int64_t count) const;
  std::vector<AttentionSequence> Sequences(int64_t num_sequences,
                                           int64_t blocks) const;

  const EngineResources& resources_;
  const Workspace& workspace_;
  Stream& copy_in_;
  Stream& compute_;
  Decoder decoder_;
  std::unique_ptr<LayerOnDevice> layer_;
  std::unique_ptr<Buffer> host_rows_;
  std::unique_ptr<Buffer> staging_;
  int64_t next_staging_ = 0;
  std::unique_ptr<Buffer> new_rows_;    // ACT, K and V of a step.
  std::unique_ptr<Buffer> head_slice_;  // The first one.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_PROFILE_COMPUTE_PROFILER_H_
