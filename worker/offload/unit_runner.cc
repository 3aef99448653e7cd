#include "worker/offload/unit_runner.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

// Of a mini-batch's new rows.
std::vector<int32_t> NewPositions(const MiniBatchLayout& layout) {
  std::vector<int32_t> positions(layout.num_rows);
  for (const SequenceLayout& sequence : layout.sequences) {
    const auto first = positions.begin() + sequence.first_row;
    std::iota(first, first + sequence.num_rows, sequence.num_cached);
  }
  return positions;
}

// Pairs of a new position and one that it attends to, itself included.
double AttendedPairs(absl::Span<const AttentionSequence> sequences) {
  double sum = 0;
  for (const AttentionSequence& sequence : sequences) {
    const auto rows = static_cast<double>(sequence.num_rows);
    sum += rows * (static_cast<double>(sequence.num_cached) + (rows + 1) / 2);
  }
  return sum;
}

}  // namespace

void UnitRunner::Begin(WorkKind kind, double units, StepUnit unit,
                       bool resumes) {
  compute_.Begin({.kind = kind,
                  .units = units,
                  .layer = unit.layer,
                  .mini_batch = unit.mini_batch,
                  .resumes = resumes});
}

int64_t UnitRunner::mixed_width() const {
  return std::max(config_.num_heads * config_.head_dim, config_.hidden);
}

int64_t UnitRunner::wide_width() const {
  return std::max(mixed_width(), config_.ffn_dim);
}

absl::Status UnitRunner::Rebuild(const StepLayout& layout, StepUnit unit) {
  const MiniBatchLayout& mini_batch = layout.mini_batches[unit.mini_batch];
  Begin(WorkKind::kRebuild,
        static_cast<double>(mini_batch.num_act_blocks * block_tokens_), unit);
  ASSIGN_OR_RETURN(const CacheStager::Rebuild rebuild, stager_.BeginRebuild());
  if (rebuild.act.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(decoder_.RebuildKv(weights_.layer(), rebuild.act, rebuild.k,
                                     rebuild.v, rebuild.positions));
  if (mini_batch.converted.empty()) return absl::OkStatus();
  std::vector<KeptBlock> kept;
  kept.reserve(mini_batch.converted.size());
  for (const ConvertedBlock& block : mini_batch.converted) {
    kept.push_back(
        {.rows = stager_.StagedBlock(block.staging_index), .to = block.to});
  }
  return write_back_.Keep(unit.layer, unit.mini_batch, kept, stager_.kept());
}

absl::Status UnitRunner::Recompute(const StepLayout& layout, StepUnit unit) {
  const MiniBatchLayout& mini_batch = layout.mini_batches[unit.mini_batch];
  const TensorView hidden =
      workspace_.Hidden(layout.num_input_rows())
          .Rows(layout.num_rows() + mini_batch.first_recomputed_row,
                int64_t{mini_batch.num_token_blocks} * block_tokens_);
  LayerWeights& weights = weights_.layer();
  for (const RecomputedChunk& chunk : mini_batch.recomputed) {
    CacheStager::Recompute recompute = stager_.RecomputedRows(chunk);
    const int64_t count = chunk.num_rows;
    // The GEMM's input is dead when attention writes what comes in its place.
    const LayerRows rows = {.hidden = hidden.Rows(chunk.first_row, count),
                            .act = workspace_.Mixed(count, config_.hidden),
                            .k = recompute.k,
                            .v = recompute.v,
                            .mixed = workspace_.Mixed(count, mixed_width()),
                            .wide = workspace_.Wide(count, wide_width()),
                            .positions = std::move(recompute.positions)};
    if (unit.layer + 1 == num_layers_) {
      Begin(WorkKind::kRebuild, static_cast<double>(count), unit);
      RETURN_IF_ERROR(decoder_.ComputeKv(weights, rows));
      continue;
    }
    Begin(WorkKind::kForward, static_cast<double>(count), unit);
    RETURN_IF_ERROR(decoder_.ComputeQkv(weights, rows));
    Begin(WorkKind::kAttention, AttendedPairs(recompute.sequences), unit);
    RETURN_IF_ERROR(decoder_.Attend(rows, std::move(recompute.sequences)));
    Begin(WorkKind::kForward, 0, unit, /*resumes=*/true);
    RETURN_IF_ERROR(decoder_.FinishLayer(weights, rows));
  }
  return absl::OkStatus();
}

absl::Status UnitRunner::Run(const StepLayout& layout, StepUnit unit,
                             const NewRows& rows) {
  const MiniBatchLayout& mini_batch = layout.mini_batches[unit.mini_batch];
  const int64_t first = mini_batch.first_row;
  const int64_t count = mini_batch.num_rows;
  LayerWeights& weights = weights_.layer();
  const LayerRows layer_rows = {
      .hidden = workspace_.Hidden(layout.num_rows()).Rows(first, count),
      .act = rows.act.Rows(first, count),
      .k = rows.k.Rows(first, count),
      .v = rows.v.Rows(first, count),
      .mixed = workspace_.Mixed(count, mixed_width()),
      .wide = workspace_.Wide(count, wide_width()),
      .positions = config_.has_rotary() ? NewPositions(mini_batch)
                                        : std::vector<int32_t>()};
  Begin(WorkKind::kForward, static_cast<double>(count), unit);
  RETURN_IF_ERROR(decoder_.ComputeQkv(weights, layer_rows));
  ASSIGN_OR_RETURN(std::vector<AttentionSequence> sequences,
                   stager_.BeginAttention());
  Begin(WorkKind::kAttention, AttendedPairs(sequences), unit);
  RETURN_IF_ERROR(decoder_.Attend(layer_rows, std::move(sequences)));
  Begin(WorkKind::kForward, 0, unit, /*resumes=*/true);
  RETURN_IF_ERROR(decoder_.FinishLayer(weights, layer_rows));
  return stager_.Finish();
}

}  // namespace hybridserve
