#ifndef HYBRIDSERVE_WORKER_OFFLOAD_STEP_RUNNER_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_STEP_RUNNER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/clock.h"
#include "kernels/device/device.h"
#include "worker/model/decoder.h"
#include "worker/offload/cache_stager.h"
#include "worker/offload/engine_resources.h"
#include "worker/offload/head_runner.h"
#include "worker/offload/input_gatherer.h"
#include "worker/offload/relay.h"
#include "worker/offload/step_collector.h"
#include "worker/offload/unit_runner.h"
#include "worker/offload/weight_streamer.h"
#include "worker/offload/workspace.h"
#include "worker/offload/write_back.h"

namespace hybridserve {

// Issues steps: queues, on three streams, every copy and op of one pass through
// all layers, and returns without waiting for any of them. What orders what is
// written at the top of step_runner.cc. Thread-compatible.
class StepRunner {
 public:
  // `resources` is borrowed and outlives the runner. Allocates all work
  // buffers and begins to load the first layers.
  static absl::StatusOr<std::unique_ptr<StepRunner>> Create(
      EngineResources& resources);
  // Waits for everything that was queued.
  ~StepRunner();

  // Queues the copies that a step needs first. `step` stays where it is until
  // Run() returned. Optional, and at most one step ahead: only after the steps
  // before it were run, or within Run()'s `before_head`.
  absl::Status StageFirst(const IssuedStep& step);

  // Queues the rebuild of the step's first unit, which needs none of its
  // tokens: the device has work while the host still waits for those. Optional,
  // after StageFirst() and after the steps before it were run.
  absl::Status RebuildFirst(const IssuedStep& step);

  // Queues a whole step of at least one row. `tokens` has a token for each row
  // of its layout. `before_head` is called whenever cached blocks of the next
  // step may be staged. Fills in the step's `ready` and stats.
  absl::Status Run(IssuedStep& step, absl::Span<const int32_t> tokens,
                   absl::FunctionRef<absl::Status()> before_head);

  const Workspace& workspace() const { return *workspace_; }
  StepCollector::Streams streams() const {
    return {compute_.get(), copy_in_.get(), copy_out_.get()};
  }

 private:
  explicit StepRunner(EngineResources& resources);
  absl::Status Init();

  // A layer, counted on into the next step.
  WeightItem Layer(int64_t index) const;
  static WeightItem HeadSlice(int64_t index);
  // The first slices of the head, as many as there are slots.
  absl::Status FeedHead();
  absl::Status RunLayer(IssuedStep& step, int64_t layer);
  // Everything queued so far, on any stream, before anything that follows.
  absl::Status Synchronize();
  absl::Status RunHead(IssuedStep& step,
                       absl::FunctionRef<absl::Status()> before_head);
  absl::Status CopyInputs(IssuedStep& step, absl::Span<const int32_t> tokens);
  absl::Status Stage(const IssuedStep& step, int64_t layer, size_t mini_batch);
  void CountBytes(IssuedStep& step) const;

  EngineResources& resources_;
  const int64_t num_layers_;
  const int64_t num_slices_;
  std::unique_ptr<Stream> compute_;
  std::unique_ptr<Stream> copy_in_;
  std::unique_ptr<Stream> copy_out_;
  std::unique_ptr<Workspace> workspace_;
  std::unique_ptr<Relay> relay_in_;
  std::unique_ptr<Relay> relay_out_;
  std::unique_ptr<WeightStreamer> weights_;
  std::unique_ptr<CacheStager> stager_;
  std::unique_ptr<WriteBack> write_back_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<UnitRunner> units_;
  std::unique_ptr<HeadRunner> head_;
  InputGatherer gatherer_;
  std::unique_ptr<Event> inputs_copied_;
  std::unique_ptr<Event> hidden_free_;
  std::unique_ptr<Event> computed_;
  std::array<std::unique_ptr<Event>, 3> reached_;  // By Synchronize().
  std::array<std::unique_ptr<Event>, 2> ready_;    // By parity.
  int64_t look_ahead_ = 1;  // Layers fed before the one that computes.
  bool stage_ahead_ = false;
  const IssuedStep* staged_step_ = nullptr;   // By StageFirst().
  const IssuedStep* rebuilt_step_ = nullptr;  // By RebuildFirst().
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_STEP_RUNNER_H_
