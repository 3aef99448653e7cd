#include "worker/offload/step_runner.h"

#include <algorithm>
#include <utility>

#include "common/status_macros.h"
#include "glog/logging.h"

// A step is its layers, then, if any row needs logits, the slices of the LM
// head. A layer is a row of units, one a mini-batch.
//
// Copy-in is one ordered queue that runs ahead of compute. While unit (j, m) of
// n computes, it carries, in this order: the cached blocks of the next unit
// (ACT, then KV), into the staging area that unit (j, m) does not use; then
// share m of n of the weights of layer j + look_ahead, whose slot of the ring
// held the layer before j. So nothing in the queue ever waits for a unit that
// is yet to be issued, and the ring wraps: towards the end of a step the layer
// after next is one of the step to come, whatever that step will be. The head's
// first slices come while the last layer computes, into slots of their own, the
// others each when the slice is done whose slot they take.
//
// That is the overlapped schedule. In the zig-zag one, FlexGen's, all of layer
// j + look_ahead is fed with unit (j, 0), before the next unit's blocks, and
// after each unit the three streams wait for each other. They do it by events,
// so that the host issues on, where FlexGen's host waits too. A layer's new
// rows leave together, with the first unit of the next layer; FlexGen's go unit
// by unit. Both differences are in its favour.
//
// Events, besides those inside the ring, the stager and the write-back:
//   inputs_copied  copy-in -> compute: the step's embedding rows are there
//   hidden_free    compute -> copy-in: the last step is done with them
//   written(j)     copy-out -> copy-in: layer j's new rows, and the blocks that
//                  became KV, are in host blocks
//   kept           copy-out -> copy-in, compute: what a staging area held of
//                  blocks that become KV was read
//   computed       compute -> copy-out: tokens and log-probs are there
//   ready[parity]  copy-out -> collector, and -> compute before it overwrites
//                  the device's outputs

namespace hybridserve {
namespace {

int64_t Bytes(absl::Span<const CopyRun> runs) {
  int64_t sum = 0;
  for (const CopyRun& run : runs) sum += run.dst.size;
  return sum;
}

}  // namespace

StepRunner::StepRunner(EngineResources& resources)
    : resources_(resources),
      num_layers_(resources.plan.num_layers),
      num_slices_(static_cast<int64_t>(resources.plan.head.slices.size())),
      gatherer_(resources.config, resources.plan, resources.weights) {}

absl::StatusOr<std::unique_ptr<StepRunner>> StepRunner::Create(
    EngineResources& resources) {
  std::unique_ptr<StepRunner> runner(new StepRunner(resources));
  RETURN_IF_ERROR(runner->Init());
  return runner;
}

StepRunner::~StepRunner() {
  for (const auto* stream : {&copy_in_, &compute_, &copy_out_}) {
    if (*stream == nullptr) continue;
    const absl::Status status = (*stream)->Synchronize();
    if (!status.ok()) LOG(ERROR) << "stream failed: " << status;
  }
}

absl::Status StepRunner::Init() {
  Device& device = *resources_.device;
  const MemoryPlan& memory = resources_.memory;
  const StepLimits limits = resources_.limits();
  compute_ = device.CreateStream(StreamKind::kCompute);
  copy_in_ = device.CreateStream(StreamKind::kCopyIn);
  copy_out_ = device.CreateStream(StreamKind::kCopyOut);
  ASSIGN_OR_RETURN(workspace_, Workspace::Create(device, resources_.config,
                                                 resources_.plan, memory.step));
  ASSIGN_OR_RETURN(relay_in_,
                   Relay::Create(device, memory.relay_bytes, *copy_in_));
  ASSIGN_OR_RETURN(relay_out_,
                   Relay::Create(device, memory.relay_bytes, *copy_out_));
  ASSIGN_OR_RETURN(weights_, WeightStreamer::Create(
                                 device, memory, resources_.plan,
                                 resources_.weights, *copy_in_, *compute_));
  ASSIGN_OR_RETURN(
      stager_,
      CacheStager::Create(device, resources_.arenas, resources_.cache_shape(),
                          limits, memory.staging_areas,
                          memory.staging_half_slots * memory.half_slot_bytes,
                          *copy_in_, *relay_in_, *compute_));
  ASSIGN_OR_RETURN(
      write_back_,
      WriteBack::Create(device, resources_.arenas, resources_.cache_shape(),
                        limits, num_layers_, *compute_, *copy_out_,
                        *relay_out_));
  decoder_ = std::make_unique<Decoder>(resources_.config, resources_.plan.dtype,
                                       resources_.block_tokens, device.ops(),
                                       *compute_);
  units_ = std::make_unique<UnitRunner>(
      resources_.config, num_layers_, resources_.block_tokens, *workspace_,
      *weights_, *stager_, *write_back_, *decoder_, *compute_);
  head_ = std::make_unique<HeadRunner>(resources_.config, resources_.plan,
                                       *workspace_, *weights_, *decoder_,
                                       device.ops(), *compute_, *copy_out_);
  inputs_copied_ = device.CreateEvent();
  hidden_free_ = device.CreateEvent();
  computed_ = device.CreateEvent();
  for (auto& ready : ready_) ready = device.CreateEvent();
  for (auto& reached : reached_) reached = device.CreateEvent();
  look_ahead_ = std::min(weights_->layer_slots() - 1, num_layers_);
  stage_ahead_ = memory.staging_areas > 1;
  for (int64_t i = 0; i < look_ahead_; ++i) {
    RETURN_IF_ERROR(weights_->Feed(Layer(i), 0, 1));
  }
  return absl::OkStatus();
}

WeightItem StepRunner::Layer(int64_t index) const {
  return {WeightItem::Kind::kLayer, static_cast<int32_t>(index % num_layers_)};
}

WeightItem StepRunner::HeadSlice(int64_t index) {
  return {WeightItem::Kind::kHeadSlice, static_cast<int32_t>(index)};
}

absl::Status StepRunner::FeedHead() {
  const int64_t first = std::min(weights_->head_slots(), num_slices_);
  for (int64_t i = 0; i < first; ++i) {
    RETURN_IF_ERROR(weights_->Feed(HeadSlice(i), 0, 1));
  }
  return absl::OkStatus();
}

absl::Status StepRunner::Stage(const IssuedStep& step, int64_t layer,
                               size_t mini_batch) {
  return stager_->Stage(layer, static_cast<int64_t>(mini_batch),
                        step.layout.mini_batches[mini_batch],
                        &write_back_->written(layer));
}

absl::Status StepRunner::StageFirst(const IssuedStep& step) {
  if (!stage_ahead_ || staged_step_ == &step) return absl::OkStatus();
  CHECK(staged_step_ == nullptr) << "another step is staged";
  staged_step_ = &step;
  return Stage(step, 0, 0);
}

absl::Status StepRunner::RebuildFirst(const IssuedStep& step) {
  if (staged_step_ != &step || rebuilt_step_ == &step) {
    return absl::OkStatus();
  }
  CHECK(rebuilt_step_ == nullptr) << "another step is begun";
  rebuilt_step_ = &step;
  RETURN_IF_ERROR(weights_->Begin(Layer(0)));
  return units_->Rebuild(step.layout, {});
}

absl::Status StepRunner::Run(IssuedStep& step, absl::Span<const int32_t> tokens,
                             absl::FunctionRef<absl::Status()> before_head) {
  RETURN_IF_ERROR(StageFirst(step));
  staged_step_ = nullptr;
  CountBytes(step);
  RETURN_IF_ERROR(CopyInputs(step, tokens));
  for (int64_t layer = 0; layer < num_layers_; ++layer) {
    RETURN_IF_ERROR(RunLayer(step, layer));
  }
  return RunHead(step, before_head);
}

absl::Status StepRunner::CopyInputs(IssuedStep& step,
                                    absl::Span<const int32_t> tokens) {
  const StepLayout& layout = step.layout;
  const int64_t rows = layout.num_input_rows();
  std::vector<GatherRow> gather;
  gather.reserve(rows);
  for (int64_t i = 0; i < layout.num_rows(); ++i) {
    gather.push_back({tokens[i], layout.inputs[i].position});
  }
  for (const InputRow& row : layout.recomputed) {
    gather.push_back({row.token, row.position});
  }
  const bool projects = !resources_.plan.outer.project_in.empty();
  const BufferView host_hidden = workspace_->HostHidden(step.parity, rows);
  const BufferView host_tokens =
      workspace_->HostTokenRows(step.parity, projects ? rows : 0);
  gatherer_.Gather(gather, HostSpan<float>(host_hidden),
                   HostSpan<char>(host_tokens));

  const TensorView hidden = workspace_->Hidden(rows);
  std::vector<CopyRun> runs = {
      {.dst = {hidden.buffer, 0, host_hidden.size}, .src = host_hidden}};
  if (projects) {
    runs.push_back(
        {.dst = {workspace_->TokenRows(rows).buffer, 0, host_tokens.size},
         .src = host_tokens});
  }
  RETURN_IF_ERROR(copy_in_->Wait(*hidden_free_));
  copy_in_->Begin({WorkKind::kInputs, static_cast<double>(Bytes(runs))});
  RETURN_IF_ERROR(copy_in_->Copy(runs));
  RETURN_IF_ERROR(copy_in_->Record(*inputs_copied_));
  RETURN_IF_ERROR(compute_->Wait(*inputs_copied_));
  if (!projects) return absl::OkStatus();
  compute_->Begin({.kind = WorkKind::kInputs});
  return decoder_->ProjectIn(
      weights_->OuterMatrix(resources_.plan.outer.project_in),
      workspace_->TokenRows(rows), hidden);
}

absl::Status StepRunner::RunLayer(IssuedStep& step, int64_t layer) {
  const auto num_units = static_cast<int64_t>(step.layout.mini_batches.size());
  const bool begun = layer == 0 && rebuilt_step_ == &step;
  if (begun) {
    rebuilt_step_ = nullptr;
  } else {
    RETURN_IF_ERROR(weights_->Begin(Layer(layer)));
  }
  if (layer + 1 == num_layers_ && step.layout.needs_head()) {
    RETURN_IF_ERROR(FeedHead());
  }
  ASSIGN_OR_RETURN(const NewRows rows,
                   write_back_->Begin(step.layout.num_rows()));
  const bool zig_zag = step.layout.schedule == StepSchedule::kZigZag;
  for (int64_t unit = 0; unit < num_units; ++unit) {
    if (zig_zag && unit == 0) {
      RETURN_IF_ERROR(weights_->Feed(Layer(layer + look_ahead_), 0, 1));
    }
    if (!stage_ahead_) {
      RETURN_IF_ERROR(Stage(step, layer, unit));
    } else if (unit + 1 < num_units) {
      RETURN_IF_ERROR(Stage(step, layer, unit + 1));
    } else if (layer + 1 < num_layers_) {
      RETURN_IF_ERROR(Stage(step, layer + 1, 0));
    }
    if (!zig_zag) {
      RETURN_IF_ERROR(
          weights_->Feed(Layer(layer + look_ahead_), unit, num_units));
    }
    const StepUnit computed = {.layer = layer, .mini_batch = unit};
    if (!begun || unit > 0) {
      RETURN_IF_ERROR(units_->Rebuild(step.layout, computed));
    }
    RETURN_IF_ERROR(units_->Recompute(step.layout, computed));
    RETURN_IF_ERROR(units_->Run(step.layout, computed, rows));
    if (zig_zag) RETURN_IF_ERROR(Synchronize());
  }
  RETURN_IF_ERROR(weights_->Finish());
  return write_back_->Finish(layer, step.layout.writes);
}

absl::Status StepRunner::Synchronize() {
  Stream* const streams[] = {copy_in_.get(), compute_.get(), copy_out_.get()};
  for (size_t i = 0; i < reached_.size(); ++i) {
    RETURN_IF_ERROR(streams[i]->Record(*reached_[i]));
  }
  for (size_t i = 0; i < reached_.size(); ++i) {
    for (size_t other = 0; other < reached_.size(); ++other) {
      if (other != i) RETURN_IF_ERROR(streams[i]->Wait(*reached_[other]));
    }
  }
  return absl::OkStatus();
}

absl::Status StepRunner::RunHead(
    IssuedStep& step, absl::FunctionRef<absl::Status()> before_head) {
  const auto logit_rows = static_cast<double>(step.layout.samples.size() +
                                              step.layout.scores.size());
  compute_->Begin({.kind = WorkKind::kHead, .resumes = true});
  copy_out_->Begin({WorkKind::kResults, logit_rows});
  // The outputs of the step before have left the device.
  RETURN_IF_ERROR(compute_->Wait(*ready_[1 - step.parity]));
  RETURN_IF_ERROR(head_->Begin(step.layout));
  RETURN_IF_ERROR(compute_->Record(*hidden_free_));
  RETURN_IF_ERROR(before_head());
  const int64_t slices = step.layout.needs_head() ? num_slices_ : 0;
  for (int64_t index = 0; index < slices; ++index) {
    RETURN_IF_ERROR(weights_->Begin(HeadSlice(index)));
    ASSIGN_OR_RETURN(const PlacedPiece slice, weights_->head_slice());
    compute_->Begin({WorkKind::kHead, logit_rows});
    RETURN_IF_ERROR(head_->RunSlice(step.layout, slice));
    RETURN_IF_ERROR(weights_->Finish());
    const int64_t next = index + weights_->head_slots();
    if (next < slices) RETURN_IF_ERROR(weights_->Feed(HeadSlice(next), 0, 1));
    RETURN_IF_ERROR(before_head());
  }
  RETURN_IF_ERROR(head_->Finish(step.layout, step.parity, *computed_));
  RETURN_IF_ERROR(copy_out_->Record(*ready_[step.parity]));
  step.ready = ready_[step.parity].get();
  return absl::OkStatus();
}

void StepRunner::CountBytes(IssuedStep& step) const {
  const StepLayout& layout = step.layout;
  StepStats& stats = step.stats;
  stats.mini_batches = static_cast<int32_t>(layout.mini_batches.size());
  for (const MiniBatchLayout& mini_batch : layout.mini_batches) {
    stats.act_bytes += num_layers_ * stager_->ActBytes(mini_batch);
    stats.kv_bytes += num_layers_ * stager_->KvBytes(mini_batch);
    for (const SequenceLayout& sequence : mini_batch.sequences) {
      for (const BlockUse& use : sequence.blocks) {
        if (use.block.kind != CacheKind::kAct) continue;
        stats.rebuilt_tokens += use.num_rows;
      }
    }
    for (const ConvertedBlock& block : mini_batch.converted) {
      stats.write_back_bytes += num_layers_ * write_back_->LinkBytes(block.to);
    }
  }
  stats.write_back_bytes += num_layers_ * write_back_->LinkBytes(layout.writes);
  if (resources_.memory.one_memory) return;
  stats.weight_bytes =
      num_layers_ * resources_.memory.streamed_layer_bytes(resources_.plan);
  if (layout.needs_head()) {
    stats.weight_bytes +=
        resources_.memory.streamed_head_bytes(resources_.plan);
  }
  stats.other_in_bytes =
      workspace_->HostHidden(step.parity, layout.num_input_rows()).size;
  if (!resources_.plan.outer.project_in.empty()) {
    stats.other_in_bytes +=
        workspace_->HostTokenRows(step.parity, layout.num_input_rows()).size;
  }
}

}  // namespace hybridserve
