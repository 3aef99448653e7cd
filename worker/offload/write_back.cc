#include "worker/offload/write_back.h"

#include <utility>

#include "common/status_macros.h"
#include "worker/offload/workspace_sizes.h"

namespace hybridserve {
namespace {

constexpr int kSlots = 2;

BufferView RowBytes(const TensorView& rows, int64_t first, int64_t count) {
  const int64_t row_bytes = rows.stride * SizeOf(rows.dtype);
  return {rows.buffer, rows.offset + first * row_bytes, count * row_bytes};
}

}  // namespace

absl::StatusOr<std::unique_ptr<WriteBack>> WriteBack::Create(
    Device& device, const CacheArenas& arenas, const CacheShape& shape,
    const StepLimits& limits, int64_t num_layers, Stream& compute,
    Stream& copy_out, Relay& relay) {
  std::unique_ptr<WriteBack> write_back(
      new WriteBack(arenas, shape, limits, compute, copy_out, relay));
  const int64_t rows = limits.max_step_tokens;
  const int64_t slot_bytes = Align64(rows * shape.act_row_bytes()) +
                             2 * Align64(rows * shape.kv_row_bytes());
  for (int i = 0; i < kSlots; ++i) {
    Slot& slot = write_back->slots_.emplace_back();
    ASSIGN_OR_RETURN(slot.buffer,
                     device.Allocate(MemorySpace::kDevice, slot_bytes));
    slot.filled = device.CreateEvent();
    slot.left = device.CreateEvent();
  }
  write_back->rebuilt_ = device.CreateEvent();
  for (int64_t layer = 0; layer < num_layers; ++layer) {
    write_back->written_.push_back(device.CreateEvent());
  }
  return write_back;
}

absl::StatusOr<NewRows> WriteBack::Begin(int64_t rows) {
  Slot& slot = slots_[begun_++ % kSlots];
  current_rows_ = rows;
  RETURN_IF_ERROR(compute_.Wait(*slot.left));
  return RowsOf(slot, rows);
}

absl::Status WriteBack::Keep(int64_t layer, int64_t mini_batch,
                             absl::Span<const KeptBlock> blocks, Event& read) {
  std::vector<CopyRun> local;
  std::vector<CopyRun> out;
  int64_t link_bytes = 0;
  for (const KeptBlock& block : blocks) {
    const CacheArena& arena = arenas_.of(block.to.tier);
    std::vector<CopyRun>& runs =
        ReadInPlace(block.to.tier, limits_) ? local : out;
    const int64_t bytes = shape_.kv_block_bytes();
    runs.push_back({.dst = arena.View(layer, block.to.first, 0, bytes),
                    .src = block.rows.k});
    runs.push_back({.dst = arena.View(layer, block.to.second, 0, bytes),
                    .src = block.rows.v});
    link_bytes += LinkBytes(block.to);
  }
  if (!local.empty()) RETURN_IF_ERROR(compute_.Copy(local));
  if (out.empty()) return absl::OkStatus();
  kept_ = true;
  RETURN_IF_ERROR(compute_.Record(*rebuilt_));
  RETURN_IF_ERROR(copy_out_.Wait(*rebuilt_));
  copy_out_.Begin({WorkKind::kWriteBack, static_cast<double>(link_bytes), layer,
                   mini_batch});
  RETURN_IF_ERROR(relay_.Copy(out));
  return copy_out_.Record(read);
}

absl::Status WriteBack::Finish(int64_t layer,
                               absl::Span<const WriteRun> writes) {
  Slot& slot = slots_[(begun_ - 1) % kSlots];
  const NewRows rows = RowsOf(slot, current_rows_);
  const std::vector<CopyRun> local = Runs(rows, layer, writes, true);
  const std::vector<CopyRun> out = Runs(rows, layer, writes, false);
  if (!local.empty()) RETURN_IF_ERROR(compute_.Copy(local));
  const bool kept = std::exchange(kept_, false);
  if (!out.empty()) {
    RETURN_IF_ERROR(compute_.Record(*slot.filled));
    RETURN_IF_ERROR(copy_out_.Wait(*slot.filled));
    copy_out_.Begin(
        {WorkKind::kWriteBack, static_cast<double>(LinkBytes(writes)), layer});
    RETURN_IF_ERROR(relay_.Copy(out));
    RETURN_IF_ERROR(copy_out_.Record(*slot.left));
  }
  if (out.empty() && !kept) return absl::OkStatus();
  return copy_out_.Record(*written_[layer]);
}

int64_t WriteBack::LinkBytes(absl::Span<const WriteRun> writes) const {
  int64_t bytes = 0;
  for (const WriteRun& run : writes) {
    if (ReadInPlace(run.block.tier, limits_)) continue;
    bytes += run.num_rows * (run.block.kind == CacheKind::kAct
                                 ? shape_.act_row_bytes()
                                 : 2 * shape_.kv_row_bytes());
  }
  return bytes;
}

int64_t WriteBack::LinkBytes(const BlockRef& to) const {
  return ReadInPlace(to.tier, limits_) ? 0 : 2 * shape_.kv_block_bytes();
}

NewRows WriteBack::RowsOf(const Slot& slot, int64_t rows) const {
  const int64_t max_rows = limits_.max_step_tokens;
  const BufferView whole = {slot.buffer.get(), 0, slot.buffer->size()};
  const int64_t act_bytes = Align64(max_rows * shape_.act_row_bytes());
  const int64_t kv_bytes = Align64(max_rows * shape_.kv_row_bytes());
  return {.act = MakeTensor(whole.Slice(0, act_bytes), shape_.dtype, rows,
                            shape_.act_width),
          .k = MakeTensor(whole.Slice(act_bytes, kv_bytes), shape_.dtype, rows,
                          shape_.kv_width),
          .v = MakeTensor(whole.Slice(act_bytes + kv_bytes, kv_bytes),
                          shape_.dtype, rows, shape_.kv_width)};
}

std::vector<CopyRun> WriteBack::Runs(const NewRows& rows, int64_t layer,
                                     absl::Span<const WriteRun> writes,
                                     bool in_place) const {
  std::vector<CopyRun> runs;
  for (const WriteRun& run : writes) {
    if (ReadInPlace(run.block.tier, limits_) != in_place) continue;
    const CacheArena& arena = arenas_.of(run.block.tier);
    const auto copy = [&](const TensorView& from, HalfSlot to) {
      const BufferView src = RowBytes(from, run.first_row, run.num_rows);
      const int64_t row_bytes = src.size / run.num_rows;
      runs.push_back(
          {.dst = arena.View(layer, to, run.first_row_in_block * row_bytes,
                             src.size),
           .src = src});
    };
    if (run.block.kind == CacheKind::kAct) {
      copy(rows.act, run.block.first);
    } else {
      copy(rows.k, run.block.first);
      copy(rows.v, run.block.second);
    }
  }
  return runs;
}

}  // namespace hybridserve
