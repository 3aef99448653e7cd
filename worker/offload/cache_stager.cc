#include "worker/offload/cache_stager.h"

#include <numeric>

#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

int64_t Bytes(absl::Span<const CopyRun> runs) {
  int64_t sum = 0;
  for (const CopyRun& run : runs) sum += run.dst.size;
  return sum;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CacheStager>> CacheStager::Create(
    Device& device, const CacheArenas& arenas, const CacheShape& shape,
    const StepLimits& limits, int num_areas, int64_t area_bytes,
    Stream& copy_in, Relay& relay, Stream& compute) {
  std::unique_ptr<CacheStager> stager(
      new CacheStager(arenas, shape, limits, copy_in, relay, compute));
  for (int i = 0; i < num_areas; ++i) {
    Area& area = stager->areas_.emplace_back();
    ASSIGN_OR_RETURN(area.buffer,
                     device.Allocate(MemorySpace::kDevice, area_bytes));
    area.act_copied = device.CreateEvent();
    area.kv_copied = device.CreateEvent();
    area.free = device.CreateEvent();
    area.kept = device.CreateEvent();
  }
  return stager;
}

absl::Status CacheStager::Stage(int64_t layer, int64_t index,
                                const MiniBatchLayout& mini_batch,
                                Event* written) {
  CHECK_LT(staged_ - finished_, static_cast<int64_t>(areas_.size()));
  Area& area = areas_[staged_ % areas_.size()];
  ++staged_;
  area.mini_batch = &mini_batch;
  area.layer = layer;
  const std::vector<CopyRun> act = ActRuns(area, /*in_place=*/false);
  const std::vector<CopyRun> kv = KvRuns(area);
  if (act.empty() && kv.empty()) return absl::OkStatus();

  RETURN_IF_ERROR(copy_in_.Wait(*area.free));
  RETURN_IF_ERROR(copy_in_.Wait(*area.kept));
  if (written != nullptr) RETURN_IF_ERROR(copy_in_.Wait(*written));
  if (!act.empty()) {
    copy_in_.Begin(
        {WorkKind::kAct, static_cast<double>(Bytes(act)), layer, index});
    RETURN_IF_ERROR(relay_.Copy(act));
    RETURN_IF_ERROR(copy_in_.Record(*area.act_copied));
  }
  if (!kv.empty()) {
    copy_in_.Begin(
        {WorkKind::kKv, static_cast<double>(Bytes(kv)), layer, index});
    RETURN_IF_ERROR(relay_.Copy(kv));
    RETURN_IF_ERROR(copy_in_.Record(*area.kv_copied));
  }
  return absl::OkStatus();
}

absl::StatusOr<CacheStager::Rebuild> CacheStager::BeginRebuild() {
  CHECK_LT(finished_, staged_) << "nothing is staged";
  const Area& area = current();
  // Compute, too, writes to the area.
  RETURN_IF_ERROR(compute_.Wait(*area.kept));
  const int64_t rows = area.mini_batch->num_act_blocks * shape_.block_tokens;
  if (rows == 0) return Rebuild{};
  RETURN_IF_ERROR(compute_.Wait(*area.act_copied));
  const std::vector<CopyRun> local = ActRuns(area, /*in_place=*/true);
  if (!local.empty()) RETURN_IF_ERROR(compute_.Copy(local));
  const auto kv_rows = [&](bool second) {
    return StagedRows(StagedKv(area, 0, second), 0, rows, shape_.kv_width);
  };
  return Rebuild{
      .act = StagedRows(StagedAct(area, 0), 0, rows, shape_.act_width),
      .k = kv_rows(false),
      .v = kv_rows(true),
      .positions = ActPositions(area)};
}

std::vector<int32_t> CacheStager::ActPositions(const Area& area) const {
  if (!shape_.has_rotary) return {};
  const auto block_tokens = static_cast<int32_t>(shape_.block_tokens);
  std::vector<int32_t> positions(
      area.mini_batch->num_act_blocks * shape_.block_tokens, -1);
  for (const SequenceLayout& sequence : area.mini_batch->sequences) {
    int32_t position = 0;  // Of the block's first row.
    for (const BlockUse& use : sequence.blocks) {
      if (use.block.kind == CacheKind::kAct) {
        const auto first =
            positions.begin() + int64_t{use.staging_index} * block_tokens;
        std::iota(first, first + use.num_rows, position);
      }
      position += block_tokens;
    }
  }
  return positions;
}

KvBlockView CacheStager::StagedBlock(int32_t staging_index) const {
  return {.k = StagedKv(current(), staging_index, false),
          .v = StagedKv(current(), staging_index, true)};
}

CacheStager::Recompute CacheStager::RecomputedRows(
    const RecomputedChunk& chunk) const {
  const Area& area = current();
  const int32_t first_block = area.mini_batch->num_act_blocks;
  const auto kv_rows = [&](bool second) {
    return StagedRows(StagedKv(area, first_block, second), chunk.first_row,
                      chunk.num_rows, shape_.kv_width);
  };
  Recompute recompute = {.k = kv_rows(false), .v = kv_rows(true)};
  for (const RecomputedRun& run : chunk.runs) {
    if (shape_.has_rotary) {
      recompute.positions.resize(run.first_row + run.num_rows);
      std::iota(recompute.positions.begin() + run.first_row,
                recompute.positions.end(), run.num_cached);
    }
    AttentionSequence& sequence = recompute.sequences.emplace_back(
        AttentionSequence{.first_row = run.first_row,
                          .num_rows = run.num_rows,
                          .num_cached = run.num_cached});
    for (int32_t from = 0; from < run.num_cached;
         from += static_cast<int32_t>(shape_.block_tokens)) {
      const auto index =
          static_cast<int32_t>(run.first_block + from / shape_.block_tokens);
      sequence.blocks.push_back({.k = StagedKv(area, index, false),
                                 .v = StagedKv(area, index, true)});
    }
  }
  return recompute;
}

absl::StatusOr<std::vector<AttentionSequence>> CacheStager::BeginAttention() {
  const Area& area = current();
  RETURN_IF_ERROR(compute_.Wait(*area.kv_copied));
  std::vector<AttentionSequence> sequences;
  sequences.reserve(area.mini_batch->sequences.size());
  for (const SequenceLayout& layout : area.mini_batch->sequences) {
    AttentionSequence& sequence = sequences.emplace_back(
        AttentionSequence{.first_row = layout.first_row,
                          .num_rows = layout.num_rows,
                          .num_cached = layout.num_cached});
    sequence.blocks.reserve(layout.blocks.size());
    for (const BlockUse& use : layout.blocks) {
      sequence.blocks.push_back(BlockView(area, use));
    }
  }
  return sequences;
}

absl::Status CacheStager::Finish() {
  RETURN_IF_ERROR(compute_.Record(*current().free));
  current().mini_batch = nullptr;
  ++finished_;
  return absl::OkStatus();
}

int64_t CacheStager::ActBytes(const MiniBatchLayout& mini_batch) const {
  int64_t rows = 0;
  for (const SequenceLayout& sequence : mini_batch.sequences) {
    for (const BlockUse& use : sequence.blocks) {
      if (use.block.kind == CacheKind::kAct &&
          !ReadInPlace(use.block.tier, limits_)) {
        rows += use.num_rows;
      }
    }
  }
  return rows * shape_.act_row_bytes();
}

int64_t CacheStager::KvBytes(const MiniBatchLayout& mini_batch) const {
  int64_t rows = 0;
  for (const SequenceLayout& sequence : mini_batch.sequences) {
    for (const BlockUse& use : sequence.blocks) {
      if (use.block.kind == CacheKind::kKv && use.staging_index >= 0) {
        rows += use.num_rows;
      }
    }
  }
  return 2 * rows * shape_.kv_row_bytes();
}

std::vector<CopyRun> CacheStager::ActRuns(const Area& area,
                                          bool in_place) const {
  std::vector<CopyRun> runs;
  for (const SequenceLayout& sequence : area.mini_batch->sequences) {
    for (const BlockUse& use : sequence.blocks) {
      if (use.block.kind != CacheKind::kAct ||
          ReadInPlace(use.block.tier, limits_) != in_place) {
        continue;
      }
      const int64_t bytes = use.num_rows * shape_.act_row_bytes();
      runs.push_back({.dst = StagedAct(area, use.staging_index).Slice(0, bytes),
                      .src = arenas_.of(use.block.tier)
                                 .View(area.layer, use.block.first, 0, bytes)});
    }
  }
  return runs;
}

std::vector<CopyRun> CacheStager::KvRuns(const Area& area) const {
  std::vector<CopyRun> runs;
  for (const SequenceLayout& sequence : area.mini_batch->sequences) {
    for (const BlockUse& use : sequence.blocks) {
      if (use.block.kind != CacheKind::kKv || use.staging_index < 0) continue;
      const CacheArena& arena = arenas_.of(use.block.tier);
      const int64_t bytes = use.num_rows * shape_.kv_row_bytes();
      for (const bool second : {false, true}) {
        const HalfSlot slot = second ? use.block.second : use.block.first;
        runs.push_back(
            {.dst = StagedKv(area, use.staging_index, second).Slice(0, bytes),
             .src = arena.View(area.layer, slot, 0, bytes)});
      }
    }
  }
  return runs;
}

BufferView CacheStager::StagedKv(const Area& area, int32_t index,
                                 bool second) const {
  const int64_t block =
      index + (second ? area.mini_batch->num_staged_blocks() : 0);
  const int64_t bytes = shape_.kv_block_bytes();
  const BufferView whole = {area.buffer.get(), 0, area.buffer->size()};
  return whole.Slice(block * bytes, bytes);
}

TensorView CacheStager::StagedRows(const BufferView& block, int64_t first,
                                   int64_t rows, int64_t width) const {
  return {block.buffer, block.offset + first * width * SizeOf(shape_.dtype),
          shape_.dtype, rows,
          width,        width};
}

BufferView CacheStager::StagedAct(const Area& area, int32_t index) const {
  const int64_t first = int64_t{2} * area.mini_batch->num_staged_blocks() *
                        shape_.kv_block_bytes();
  const int64_t bytes = shape_.act_block_bytes();
  const BufferView whole = {area.buffer.get(), 0, area.buffer->size()};
  return whole.Slice(first + index * bytes, bytes);
}

KvBlockView CacheStager::BlockView(const Area& area,
                                   const BlockUse& use) const {
  if (use.staging_index >= 0) return StagedBlock(use.staging_index);
  const CacheArena& arena = arenas_.of(use.block.tier);
  const int64_t bytes = shape_.kv_block_bytes();
  return {.k = arena.View(area.layer, use.block.first, 0, bytes),
          .v = arena.View(area.layer, use.block.second, 0, bytes)};
}

}  // namespace hybridserve
