#include "worker/profile/copy_profiler.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/profile/work_timer.h"

namespace hybridserve {
namespace {

constexpr int kSizes = 4;
constexpr int64_t kMaxBlocks = 256;
constexpr int64_t kMaxRows = 128;

// Half-slots in an order that puts none beside the one before it: the i-th of
// `count`, which is a power of two.
int64_t Scattered(int64_t i, int64_t count) { return i * 5 % count; }

int64_t FloorPowerOfTwo(int64_t value) {
  int64_t power = 1;
  while (power * 2 <= value) power *= 2;
  return power;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CopyProfiler>> CopyProfiler::Create(
    const EngineResources& resources, const Workspace& workspace,
    Stream& copy_in, Stream& copy_out) {
  std::unique_ptr<CopyProfiler> profiler(
      new CopyProfiler(resources, workspace, copy_in, copy_out));
  const MemoryPlan& memory = resources.memory;
  const int64_t bytes =
      std::max({int64_t{64}, memory.ring_slot_bytes,
                memory.staging_half_slots * memory.half_slot_bytes});
  ASSIGN_OR_RETURN(profiler->scratch_,
                   resources.device->Allocate(MemorySpace::kDevice, bytes));
  ASSIGN_OR_RETURN(
      profiler->relay_in_,
      Relay::Create(*resources.device, memory.relay_bytes, copy_in));
  ASSIGN_OR_RETURN(
      profiler->relay_out_,
      Relay::Create(*resources.device, memory.relay_bytes, copy_out));
  return profiler;
}

absl::StatusOr<WorkFit> CopyProfiler::Time(WorkKind kind) {
  switch (kind) {
    case WorkKind::kWeights:
      return TimeWeights();
    case WorkKind::kKv:
    case WorkKind::kAct:
      return TimeBlocks(kind);
    case WorkKind::kInputs:
      return TimeInputs();
    case WorkKind::kResults:
      return TimeResults();
    case WorkKind::kWriteBack:
      return TimeWriteBack();
    default:
      LOG(FATAL) << Name(kind) << " is no copy";
  }
}

absl::StatusOr<WorkFit> CopyProfiler::TimeWeights() {
  const int64_t most = std::min(resources_.memory.ring_slot_bytes,
                                resources_.weights.layers->size());
  std::vector<int64_t> sizes;
  for (int64_t divisor = 1 << (kSizes - 1); divisor > 0; divisor /= 2) {
    if (most / divisor > 0) sizes.push_back(most / divisor);
  }
  return TimeWork(
      copy_in_, WorkKind::kWeights, sizes,
      [](int64_t bytes) { return static_cast<double>(bytes); },
      [this](int64_t bytes) {
        const CopyRun run = {
            .dst = {scratch_.get(), 0, bytes},
            .src = {resources_.weights.layers.get(), 0, bytes}};
        return copy_in_.Copy({&run, 1});
      });
}

absl::StatusOr<WorkFit> CopyProfiler::TimeBlocks(WorkKind kind) {
  const CacheShape shape = resources_.cache_shape();
  const CacheArena& arena = resources_.arenas.host;
  const int64_t halves = kind == WorkKind::kKv ? 2 : 1;
  const int64_t bytes =
      kind == WorkKind::kKv ? shape.kv_block_bytes() : shape.act_block_bytes();
  const int64_t slots = FloorPowerOfTwo(arena.half_slots());
  const int64_t most =
      std::min({kMaxBlocks, slots / halves, scratch_->size() / bytes / halves});
  if (kind == WorkKind::kAct && !resources_.config.act_pays()) return WorkFit{};
  return TimeWork(
      copy_in_, kind, SpacedSizes(most, kSizes),
      [&](int64_t blocks) {
        return static_cast<double>(blocks * halves * bytes);
      },
      [&](int64_t blocks) {
        std::vector<CopyRun> runs;
        for (int64_t i = 0; i < blocks * halves; ++i) {
          const auto slot = HalfSlot(static_cast<int32_t>(Scattered(i, slots)));
          runs.push_back({.dst = {scratch_.get(), i * bytes, bytes},
                          .src = arena.View(0, slot, 0, bytes)});
        }
        return relay_in_->Copy(runs);
      });
}

absl::StatusOr<WorkFit> CopyProfiler::TimeInputs() {
  const int64_t most = std::min(kMaxRows, resources_.memory.step.rows);
  return TimeWork(
      copy_in_, WorkKind::kInputs, SpacedSizes(most, kSizes),
      [this](int64_t rows) {
        return static_cast<double>(workspace_.HostHidden(0, rows).size);
      },
      [this](int64_t rows) {
        const BufferView src = workspace_.HostHidden(0, rows);
        const CopyRun run = {
            .dst = {workspace_.Hidden(rows).buffer, 0, src.size}, .src = src};
        return copy_in_.Copy({&run, 1});
      });
}

absl::StatusOr<WorkFit> CopyProfiler::TimeResults() {
  const int64_t most = std::min(kMaxRows, resources_.memory.step.logit_rows);
  return TimeWork(
      copy_out_, WorkKind::kResults, SpacedSizes(most, kSizes),
      [](int64_t rows) { return static_cast<double>(rows); },
      [this](int64_t rows) {
        std::vector<CopyRun> runs;
        const auto copy = [&](const TensorView& from, const BufferView& to) {
          runs.push_back(
              {.dst = to, .src = {from.buffer, from.offset, to.size}});
        };
        copy(workspace_.Tokens(rows), workspace_.HostTokens(0, rows));
        copy(workspace_.LogProbs(rows), workspace_.HostLogProbs(0, rows));
        return copy_out_.Copy(runs);
      });
}

absl::StatusOr<WorkFit> CopyProfiler::TimeWriteBack() {
  const CacheShape shape = resources_.cache_shape();
  const CacheArena& arena = resources_.arenas.host;
  const int64_t bytes = shape.kv_row_bytes();
  const int64_t slots = FloorPowerOfTwo(arena.half_slots());
  const int64_t most = std::min({kMaxRows, resources_.memory.step.rows,
                                 slots / 2, scratch_->size() / bytes / 2});
  return TimeWork(
      copy_out_, WorkKind::kWriteBack, SpacedSizes(most, kSizes),
      [&](int64_t rows) { return static_cast<double>(2 * rows * bytes); },
      [&](int64_t rows) {
        std::vector<CopyRun> runs;
        for (int64_t i = 0; i < 2 * rows; ++i) {
          const auto slot = HalfSlot(static_cast<int32_t>(Scattered(i, slots)));
          runs.push_back({.dst = arena.View(0, slot, 0, bytes),
                          .src = {scratch_.get(), i * bytes, bytes}});
        }
        return relay_out_->Copy(runs);
      });
}

}  // namespace hybridserve
