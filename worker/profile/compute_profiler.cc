#include "worker/profile/compute_profiler.h"

#include <algorithm>
#include <utility>

#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/profile/work_timer.h"

namespace hybridserve {
namespace {

constexpr int kSizes = 5;
constexpr int64_t kMaxRebuildRows = 1024;
constexpr int64_t kMaxForwardRows = 128;
constexpr int64_t kAttentionSequences = 4;
constexpr int64_t kMostHostBytes = 1 << 20;
constexpr int32_t kSomePosition = 100;

double Same(int64_t size) { return static_cast<double>(size); }

}  // namespace

ComputeProfiler::ComputeProfiler(const EngineResources& resources,
                                 const Workspace& workspace, Stream& copy_in,
                                 Stream& compute)
    : resources_(resources),
      workspace_(workspace),
      copy_in_(copy_in),
      compute_(compute),
      decoder_(resources.config, resources.plan.dtype, resources.block_tokens,
               resources.device->ops(), compute) {}

absl::StatusOr<std::unique_ptr<ComputeProfiler>> ComputeProfiler::Create(
    const EngineResources& resources, const Workspace& workspace,
    Stream& copy_in, Stream& compute) {
  std::unique_ptr<ComputeProfiler> profiler(
      new ComputeProfiler(resources, workspace, copy_in, compute));
  Device& device = *resources.device;
  const MemoryPlan& memory = resources.memory;
  ASSIGN_OR_RETURN(profiler->layer_, LayerOnDevice::Create(resources, copy_in));
  ASSIGN_OR_RETURN(
      profiler->staging_,
      device.Allocate(MemorySpace::kDevice,
                      memory.staging_half_slots * memory.half_slot_bytes));
  ASSIGN_OR_RETURN(profiler->host_rows_,
                   device.Allocate(MemorySpace::kHost,
                                   std::clamp(profiler->staging_->size(),
                                              int64_t{64}, kMostHostBytes)));
  const WorkspaceSizes sizes =
      MakeWorkspaceSizes(resources.config, resources.plan, memory.step);
  ASSIGN_OR_RETURN(profiler->new_rows_,
                   device.Allocate(MemorySpace::kDevice, sizes.new_rows()));
  ASSIGN_OR_RETURN(profiler->head_slice_,
                   device.Allocate(MemorySpace::kDevice,
                                   resources.plan.head.slices[0].bytes));
  return profiler;
}

absl::StatusOr<WorkFit> ComputeProfiler::Time(WorkKind kind) {
  switch (kind) {
    case WorkKind::kRebuild:
      return TimeRebuild();
    case WorkKind::kForward:
      return TimeForward();
    case WorkKind::kAttention:
      return TimeAttention();
    case WorkKind::kHead:
      return TimeHead();
    default:
      LOG(FATAL) << Name(kind) << " is not computed";
  }
}

BufferView ComputeProfiler::NextStaging(int64_t bytes) {
  if (next_staging_ + bytes > staging_->size()) next_staging_ = 0;
  const BufferView view = {staging_.get(), next_staging_, bytes};
  next_staging_ += bytes;
  return view;
}

absl::Status ComputeProfiler::Bring(const BufferView& rows) {
  std::vector<CopyRun> runs;
  for (int64_t offset = 0; offset < rows.size; offset += host_rows_->size()) {
    const int64_t bytes = std::min(host_rows_->size(), rows.size - offset);
    runs.push_back({.dst = rows.Slice(offset, bytes),
                    .src = {host_rows_.get(), 0, bytes}});
  }
  RETURN_IF_ERROR(copy_in_.Copy(runs));
  return copy_in_.Synchronize();
}

absl::StatusOr<WorkFit> ComputeProfiler::TimeRebuild() {
  const CacheShape shape = resources_.cache_shape();
  if (!resources_.config.act_pays()) return WorkFit{};
  const int64_t row_bytes = shape.act_row_bytes() + 2 * shape.kv_row_bytes();
  const int64_t most = std::min(kMaxRebuildRows, staging_->size() / row_bytes) /
                       shape.block_tokens;  // Blocks.
  BufferView all;
  BufferView act;
  return TimeWork(
      compute_, WorkKind::kRebuild, SpacedSizes(most, kSizes),
      [&](int64_t blocks) { return Same(blocks * shape.block_tokens); },
      [&](int64_t blocks) {
        const int64_t rows = blocks * shape.block_tokens;
        all = NextStaging(rows * row_bytes);
        act = all.Slice(2 * rows * shape.kv_row_bytes(),
                        rows * shape.act_row_bytes());
        RETURN_IF_ERROR(layer_->Renew());
        return Bring(act);
      },
      [&](int64_t blocks) {
        const int64_t rows = blocks * shape.block_tokens;
        const int64_t kv_bytes = rows * shape.kv_row_bytes();
        return decoder_.RebuildKv(
            *layer_, MakeTensor(act, shape.dtype, rows, shape.act_width),
            MakeTensor(all.Slice(0, kv_bytes), shape.dtype, rows,
                       shape.kv_width),
            MakeTensor(all.Slice(kv_bytes, kv_bytes), shape.dtype, rows,
                       shape.kv_width),
            std::vector<int32_t>(rows, kSomePosition));
      });
}

LayerRows ComputeProfiler::Rows(int64_t count) const {
  const ModelConfig& config = resources_.config;
  const CacheShape shape = resources_.cache_shape();
  const WorkspaceSizes sizes =
      MakeWorkspaceSizes(config, resources_.plan, resources_.memory.step);
  const BufferView all = {new_rows_.get(), 0, new_rows_->size()};
  const int64_t width =
      std::max(config.num_heads * config.head_dim, config.hidden);
  return {
      .hidden = workspace_.Hidden(count),
      .act = MakeTensor(all.Slice(0, sizes.act_rows), shape.dtype, count,
                        shape.act_width),
      .k = MakeTensor(all.Slice(sizes.act_rows, sizes.k_rows), shape.dtype,
                      count, shape.kv_width),
      .v = MakeTensor(all.Slice(sizes.act_rows + sizes.k_rows, sizes.v_rows),
                      shape.dtype, count, shape.kv_width),
      .mixed = workspace_.Mixed(count, width),
      .wide = workspace_.Wide(count, std::max(width, config.ffn_dim)),
      .positions = std::vector<int32_t>(count, kSomePosition)};
}

absl::StatusOr<WorkFit> ComputeProfiler::TimeForward() {
  const int64_t most = std::min(kMaxForwardRows, resources_.memory.step.rows);
  return TimeWork(
      compute_, WorkKind::kForward, SpacedSizes(most, kSizes), Same,
      [this](int64_t) { return layer_->Renew(); },
      [this](int64_t count) -> absl::Status {
        const LayerRows rows = Rows(count);
        RETURN_IF_ERROR(decoder_.ComputeQkv(*layer_, rows));
        return decoder_.FinishLayer(*layer_, rows);
      });
}

std::vector<AttentionSequence> ComputeProfiler::Sequences(
    int64_t num_sequences, int64_t blocks) const {
  const CacheShape shape = resources_.cache_shape();
  const BufferView all = {staging_.get(), 0, staging_->size()};
  const int64_t bytes = shape.kv_block_bytes();
  std::vector<AttentionSequence> sequences;
  for (int64_t i = 0; i < num_sequences; ++i) {
    AttentionSequence& sequence = sequences.emplace_back(
        AttentionSequence{.first_row = i,
                          .num_rows = 1,
                          .num_cached = blocks * shape.block_tokens});
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t first = 2 * (i * blocks + block) * bytes;
      sequence.blocks.push_back(
          {.k = all.Slice(first, bytes), .v = all.Slice(first + bytes, bytes)});
    }
  }
  return sequences;
}

absl::StatusOr<WorkFit> ComputeProfiler::TimeAttention() {
  const CacheShape shape = resources_.cache_shape();
  const int64_t staged = staging_->size() / (2 * shape.kv_block_bytes());
  const int64_t num_sequences =
      std::min({kAttentionSequences, staged, resources_.memory.step.rows});
  if (num_sequences < 1) return WorkFit{};
  const int64_t most =
      std::min(staged / num_sequences,
               (resources_.config.max_positions - 1) / shape.block_tokens);
  return TimeWork(
      compute_, WorkKind::kAttention, SpacedSizes(most, kSizes),
      [&](int64_t blocks) {
        return Same(num_sequences * (blocks * shape.block_tokens + 1));
      },
      [&](int64_t blocks) {
        return Bring({staging_.get(), 0,
                      2 * num_sequences * blocks * shape.kv_block_bytes()});
      },
      [&](int64_t blocks) {
        return decoder_.Attend(Rows(num_sequences),
                               Sequences(num_sequences, blocks));
      });
}

absl::StatusOr<WorkFit> ComputeProfiler::TimeHead() {
  const WeightPiece& slice = resources_.plan.head.slices[0];
  const PlacedPiece placed = {.piece = slice,
                              .bytes = {head_slice_.get(), 0, slice.bytes}};
  const CopyRun copy = {
      .dst = placed.bytes,
      .src = {resources_.weights.head.get(), slice.offset, slice.bytes}};
  return TimeWork(
      compute_, WorkKind::kHead,
      SpacedSizes(resources_.memory.step.logit_rows, kSizes), Same,
      [&](int64_t) -> absl::Status {
        RETURN_IF_ERROR(copy_in_.Copy({&copy, 1}));
        return copy_in_.Synchronize();
      },
      [&](int64_t rows) {
        return decoder_.Linear(
            {&placed, 1}, {},
            workspace_.Mixed(rows, resources_.config.word_embed_dim),
            workspace_.Logits(rows));
      });
}

}  // namespace hybridserve
