#include "worker/offload/weight_streamer.h"

#include <algorithm>

#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/offload/alias_buffer.h"

// A part is either resident (device_offset counts within a layer's resident
// block) or streamed (device_offset counts within a slot). With one memory
// every part is resident, in buffers that are the host's own: a layer's
// resident block then has the layout of its blob. The copy-in stream is one
// ordered queue, so compute, having waited for part i of an item, need not wait
// for earlier parts.

namespace hybridserve {
namespace {

constexpr int64_t kUnlimitedSlots = 1 << 20;
constexpr int64_t kCopyAlignment = 64;  // Where shares begin.

int64_t TotalBytes(absl::Span<const WeightPiece> pieces) {
  int64_t sum = 0;
  for (const WeightPiece& piece : pieces) sum += piece.bytes;
  return sum;
}

}  // namespace

absl::StatusOr<std::unique_ptr<WeightStreamer>> WeightStreamer::Create(
    Device& device, const MemoryPlan& memory, const WeightPlan& plan,
    const HostWeights& weights, Stream& copy_in, Stream& compute) {
  std::unique_ptr<WeightStreamer> streamer(
      new WeightStreamer(memory, plan, weights, copy_in, compute));
  streamer->PlaceParts();
  if (memory.one_memory) {
    CHECK(device.info().one_memory);
    streamer->layers_.num_slots = kUnlimitedSlots;
    streamer->head_.num_slots = kUnlimitedSlots;
    streamer->AliasWeights();
    return streamer;
  }
  RETURN_IF_ERROR(Allocate(
      device, memory.weight_buffers, memory.ring_slot_bytes,
      static_cast<int64_t>(streamer->layer_parts_.size()), streamer->layers_));
  RETURN_IF_ERROR(Allocate(device, memory.head_buffers, memory.head_slot_bytes,
                           /*num_parts=*/1, streamer->head_));
  RETURN_IF_ERROR(streamer->CopyResident(device));
  return streamer;
}

void WeightStreamer::PlaceParts() {
  int64_t in_slot = 0;
  const auto place = [&](int64_t host_offset, int64_t bytes, bool resident,
                         int64_t& in_resident) {
    int64_t& offset = resident ? in_resident : in_slot;
    const Part part = {.host_offset = host_offset,
                       .bytes = bytes,
                       .resident = resident,
                       .device_offset = offset};
    offset += bytes;
    return part;
  };
  layer_parts_.push_back(place(0, plan_.layer.vector_bytes,
                               memory_.resident_layer_parts[0],
                               resident_layer_bytes_));
  for (size_t i = 0; i < plan_.layer.pieces.size(); ++i) {
    const WeightPiece& piece = plan_.layer.pieces[i];
    layer_parts_.push_back(place(piece.offset, piece.bytes,
                                 memory_.resident_layer_parts[i + 1],
                                 resident_layer_bytes_));
  }
  int64_t resident_head_bytes = 0;
  for (size_t i = 0; i < plan_.head.slices.size(); ++i) {
    in_slot = 0;  // A slice has a slot to itself.
    const WeightPiece& slice = plan_.head.slices[i];
    head_parts_.push_back(place(slice.offset, slice.bytes,
                                memory_.resident_head_slices[i],
                                resident_head_bytes));
  }
}

void WeightStreamer::AliasWeights() {
  CHECK_EQ(resident_layer_bytes_, plan_.layer.bytes);
  resident_layers_ = std::make_unique<AliasBuffer>(*weights_.layers);
  resident_head_ = std::make_unique<AliasBuffer>(*weights_.head);
  outer_ = std::make_unique<AliasBuffer>(*weights_.outer);
}

absl::Status WeightStreamer::Allocate(Device& device, int64_t num_slots,
                                      int64_t slot_bytes, int64_t num_parts,
                                      Ring& ring) {
  ring.num_slots = num_slots;
  if (slot_bytes > 0) {
    ASSIGN_OR_RETURN(ring.buffer, device.Allocate(MemorySpace::kDevice,
                                                  num_slots * slot_bytes));
  }
  ring.slots.resize(num_slots);
  for (int64_t i = 0; i < num_slots; ++i) {
    Slot& slot = ring.slots[i];
    slot.offset = i * slot_bytes;
    slot.free = device.CreateEvent();
    for (int64_t part = 0; part < num_parts; ++part) {
      slot.copied.push_back(device.CreateEvent());
    }
  }
  return absl::OkStatus();
}

absl::Status WeightStreamer::CopyResident(Device& device) {
  std::vector<CopyRun> runs;
  const auto copy = [&](BufferView src, const Buffer& dst, int64_t offset) {
    runs.push_back({.dst = {&dst, offset, src.size}, .src = src});
  };
  if (plan_.outer.bytes > 0) {
    ASSIGN_OR_RETURN(outer_,
                     device.Allocate(MemorySpace::kDevice, plan_.outer.bytes));
    copy({weights_.outer.get(), 0, plan_.outer.bytes}, *outer_, 0);
  }
  if (resident_layer_bytes_ > 0) {
    ASSIGN_OR_RETURN(resident_layers_,
                     device.Allocate(MemorySpace::kDevice,
                                     plan_.num_layers * resident_layer_bytes_));
  }
  for (int32_t layer = 0; layer < plan_.num_layers; ++layer) {
    for (const Part& part : layer_parts_) {
      if (!part.resident || part.bytes == 0) continue;
      copy(HostBytes({WeightItem::Kind::kLayer, layer}, part),
           *resident_layers_,
           layer * resident_layer_bytes_ + part.device_offset);
    }
  }
  const int64_t resident_head =
      TotalBytes(plan_.head.slices) - memory_.streamed_head_bytes(plan_);
  if (resident_head > 0) {
    ASSIGN_OR_RETURN(resident_head_,
                     device.Allocate(MemorySpace::kDevice, resident_head));
  }
  for (size_t i = 0; i < head_parts_.size(); ++i) {
    if (!head_parts_[i].resident) continue;
    copy(HostBytes({WeightItem::Kind::kHeadSlice, static_cast<int32_t>(i)},
                   head_parts_[i]),
         *resident_head_, head_parts_[i].device_offset);
  }
  RETURN_IF_ERROR(copy_in_.Copy(runs));
  return copy_in_.Synchronize();
}

absl::Span<const WeightStreamer::Part> WeightStreamer::PartsOf(
    const WeightItem& item) const {
  return item.kind == WeightItem::Kind::kLayer
             ? absl::MakeConstSpan(layer_parts_)
             : absl::MakeConstSpan(head_parts_).subspan(item.index, 1);
}

BufferView WeightStreamer::HostBytes(const WeightItem& item,
                                     const Part& part) const {
  if (item.kind == WeightItem::Kind::kHeadSlice) {
    return {weights_.head.get(), part.host_offset, part.bytes};
  }
  return {weights_.layers.get(),
          item.index * plan_.layer.bytes + part.host_offset, part.bytes};
}

int64_t WeightStreamer::StreamedBytes(const WeightItem& item) const {
  int64_t bytes = 0;
  for (const Part& part : PartsOf(item)) {
    bytes += part.resident ? 0 : part.bytes;
  }
  return bytes;
}

absl::Status WeightStreamer::Feed(const WeightItem& item, int64_t share,
                                  int64_t num_shares) {
  CHECK(share >= 0 && share < num_shares) << share << " of " << num_shares;
  Ring& ring = RingOf(item);
  if (share == 0) {
    CHECK_LT(static_cast<int64_t>(ring.fed.size()), ring.num_slots)
        << "no slot is free";
    FedItem& fed = ring.fed.emplace_back(FedItem{.item = item});
    if (!memory_.one_memory) {
      fed.slot = &ring.slots[ring.next_slot];
      ring.next_slot = (ring.next_slot + 1) % ring.num_slots;
      RETURN_IF_ERROR(copy_in_.Wait(*fed.slot->free));
    }
  }
  FedItem& fed = ring.fed.back();
  CHECK(fed.item == item) << "shares of two items mixed";
  fed.whole = share + 1 == num_shares;
  if (memory_.one_memory) return absl::OkStatus();
  const int64_t total = StreamedBytes(item);
  const int64_t end = fed.whole ? total
                                : total / kCopyAlignment * (share + 1) /
                                      num_shares * kCopyAlignment;
  copy_in_.Begin(
      {.kind = WorkKind::kWeights,
       .units = static_cast<double>(end - fed.fed_bytes),
       .layer = item.kind == WeightItem::Kind::kLayer ? item.index : -1});
  return CopyUpTo(end, ring, fed);
}

absl::Status WeightStreamer::CopyUpTo(int64_t end, const Ring& ring,
                                      FedItem& fed) {
  const absl::Span<const Part> parts = PartsOf(fed.item);
  int64_t before = 0;
  for (size_t i = 0; i < parts.size() && before < end; ++i) {
    const Part& part = parts[i];
    if (part.resident || part.bytes == 0) continue;
    const int64_t from = std::max<int64_t>(fed.fed_bytes - before, 0);
    const int64_t to = std::min(end - before, part.bytes);
    before += part.bytes;
    if (from >= to) continue;
    const CopyRun run = {
        .dst = {ring.buffer.get(), fed.slot->offset + part.device_offset + from,
                to - from},
        .src = HostBytes(fed.item, part).Slice(from, to - from)};
    RETURN_IF_ERROR(copy_in_.Copy({&run, 1}));
    if (to == part.bytes) {
      RETURN_IF_ERROR(copy_in_.Record(*fed.slot->copied[i]));
    }
  }
  fed.fed_bytes = end;
  return absl::OkStatus();
}

absl::Status WeightStreamer::Begin(const WeightItem& item) {
  Ring& ring = RingOf(item);
  CHECK(!ring.fed.empty() && ring.fed.front().item == item)
      << "items out of order";
  CHECK(ring.fed.front().whole) << "shares are missing";
  begun_ = &ring;
  waited_parts_ = 0;
  return absl::OkStatus();
}

absl::Status WeightStreamer::Finish() {
  CHECK(begun_ != nullptr);
  if (!memory_.one_memory) {
    RETURN_IF_ERROR(compute_.Record(*begun_->fed.front().slot->free));
  }
  begun_->fed.pop_front();
  begun_ = nullptr;
  return absl::OkStatus();
}

absl::StatusOr<BufferView> WeightStreamer::Use(int64_t part_index) {
  const FedItem& fed = begun_->fed.front();
  const Part& part = PartsOf(fed.item)[part_index];
  if (part.resident) {
    if (fed.item.kind == WeightItem::Kind::kHeadSlice) {
      return BufferView{resident_head_.get(), part.device_offset, part.bytes};
    }
    return BufferView{
        resident_layers_.get(),
        fed.item.index * resident_layer_bytes_ + part.device_offset,
        part.bytes};
  }
  if (part.bytes > 0 && part_index >= waited_parts_) {
    RETURN_IF_ERROR(compute_.Wait(*fed.slot->copied[part_index]));
    waited_parts_ = part_index + 1;
  }
  return BufferView{begun_->buffer.get(), fed.slot->offset + part.device_offset,
                    part.bytes};
}

absl::StatusOr<TensorView> WeightStreamer::Vector(LayerVector which) {
  const VectorSlot& slot = plan_.layer.vector(which);
  if (slot.size == 0) return TensorView{};
  ASSIGN_OR_RETURN(const BufferView vectors, Use(0));
  return MakeTensor(vectors.Slice(slot.offset, slot.size * 4), DType::kFloat32,
                    1, slot.size);
}

absl::StatusOr<std::vector<PlacedPiece>> WeightStreamer::Matrix(
    LinearWeight which) {
  std::vector<PlacedPiece> placed;
  for (size_t i = 0; i < plan_.layer.pieces.size(); ++i) {
    if (plan_.layer.pieces[i].weight != which) continue;
    ASSIGN_OR_RETURN(const BufferView bytes, Use(i + 1));
    placed.push_back({.piece = plan_.layer.pieces[i], .bytes = bytes});
  }
  return placed;
}

absl::StatusOr<PlacedPiece> WeightStreamer::head_slice() {
  const WeightItem& item = begun_->fed.front().item;
  CHECK(item.kind == WeightItem::Kind::kHeadSlice);
  ASSIGN_OR_RETURN(const BufferView bytes, Use(0));
  return PlacedPiece{.piece = plan_.head.slices[item.index], .bytes = bytes};
}

TensorView WeightStreamer::OuterVector(const VectorSlot& slot) const {
  if (slot.size == 0) return {};
  return MakeTensor({outer_.get(), slot.offset, slot.size * 4}, DType::kFloat32,
                    1, slot.size);
}

std::vector<PlacedPiece> WeightStreamer::OuterMatrix(
    const std::vector<WeightPiece>& pieces) const {
  std::vector<PlacedPiece> placed;
  placed.reserve(pieces.size());
  for (const WeightPiece& piece : pieces) {
    placed.push_back(
        {.piece = piece, .bytes = {outer_.get(), piece.offset, piece.bytes}});
  }
  return placed;
}

}  // namespace hybridserve
