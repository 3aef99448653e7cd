#ifndef HYBRIDSERVE_WORKER_OFFLOAD_HEAD_RUNNER_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_HEAD_RUNNER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/model_config.h"
#include "kernels/device/device.h"
#include "kernels/ops.h"
#include "worker/model/decoder.h"
#include "worker/model/layer_weights.h"
#include "worker/model/weight_plan.h"
#include "worker/offload/step_layout.h"
#include "worker/offload/weight_streamer.h"
#include "worker/offload/workspace.h"

namespace hybridserve {

// What follows the last layer, once a step: final norm, project_out, the LM
// head in vocabulary slices, sampling and log-probs.
//
// Rows that sample get full logits; rows that are scored are folded slice by
// slice into running sums, so no row of logits is kept for them. Call Begin(),
// RunSlice() for each slice in ascending order, Finish(). Thread-compatible.
class HeadRunner {
 public:
  // All are borrowed and outlive it.
  HeadRunner(const ModelConfig& config, const WeightPlan& plan,
             const Workspace& workspace, const WeightStreamer& weights,
             Decoder& decoder, Ops& ops, Stream& compute, Stream& copy_out)
      : config_(config),
        plan_(plan),
        workspace_(workspace),
        weights_(weights),
        decoder_(decoder),
        ops_(ops),
        compute_(compute),
        copy_out_(copy_out) {}

  // Norms and projects the rows that need logits; afterwards the hidden rows
  // are free. `layout` is the step's until Finish().
  absl::Status Begin(const StepLayout& layout);
  absl::Status RunSlice(const StepLayout& layout, const PlacedPiece& slice);
  // Samples and queues on copy-out the way of the results to the host buffers
  // of `parity`. `done` is recorded on compute before the copies.
  absl::Status Finish(const StepLayout& layout, int parity, Event& done);

 private:
  // The GEMM's input: sampled rows, then scored ones.
  TensorView Input(const StepLayout& layout) const;
  // As Input(), before project_out; the same where nothing projects.
  TensorView Normed(const StepLayout& layout) const;

  const ModelConfig& config_;
  const WeightPlan& plan_;
  const Workspace& workspace_;
  const WeightStreamer& weights_;
  Decoder& decoder_;
  Ops& ops_;
  Stream& compute_;
  Stream& copy_out_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_HEAD_RUNNER_H_
