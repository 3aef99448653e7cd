#ifndef HYBRIDSERVE_WORKER_OFFLOAD_WEIGHT_STREAMER_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_WEIGHT_STREAMER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device.h"
#include "worker/memory_plan.h"
#include "worker/model/host_weights.h"
#include "worker/model/layer_weights.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {

// What one slot holds: a layer or a slice of the LM head.
struct WeightItem {
  enum class Kind { kLayer, kHeadSlice };
  Kind kind = Kind::kLayer;
  int32_t index = 0;

  friend bool operator==(const WeightItem&, const WeightItem&) = default;
};

// Brings weights to the device: some parts stay there, the others are copied
// into a ring of slots each time they are wanted, one ring for layers and one
// for the small slices of the head, so that neither keeps the other waiting.
// With one memory nothing is copied and every view is of the host's weights.
//
// Items of a kind are fed (copied in) and used (computed with) in one order;
// the ring does not care where steps begin, so it wraps over their boundaries.
// Copies go to the copy-in stream in the caller's order, share by share. A slot
// is filled again only after the compute stream is past the item that it held.
// Thread-compatible.
class WeightStreamer : private LayerWeights {
 public:
  // Copies what is resident to the device and waits for it. `weights` and the
  // others are borrowed and outlive the streamer.
  static absl::StatusOr<std::unique_ptr<WeightStreamer>> Create(
      Device& device, const MemoryPlan& memory, const WeightPlan& plan,
      const HostWeights& weights, Stream& copy_in, Stream& compute);
  ~WeightStreamer() override = default;

  // Queues the copies of share `share` of `num_shares` (bytes even) of
  // an item. Shares come in order; share 0 takes the next slot. At most
  // layer_slots() layers and head_slots() slices may be fed and not yet
  // finished.
  absl::Status Feed(const WeightItem& item, int64_t share, int64_t num_shares);

  // The item to compute with: the oldest of its kind that was fed and not
  // finished, which `item` must be, wholly fed (CHECKed).
  absl::Status Begin(const WeightItem& item);
  // The weights of the layer / slice begun. Valid until Finish().
  LayerWeights& layer() { return *this; }
  absl::StatusOr<PlacedPiece> head_slice();
  // All ops that read the item were queued on compute.
  absl::Status Finish();

  // Small weights outside the layers; always on the device.
  TensorView OuterVector(const VectorSlot& slot) const;
  std::vector<PlacedPiece> OuterMatrix(
      const std::vector<WeightPiece>& pieces) const;

  // Items that may be fed and not finished; large where nothing is copied.
  int64_t layer_slots() const { return layers_.num_slots; }
  int64_t head_slots() const { return head_.num_slots; }
  // Bytes over the link for one such item.
  int64_t StreamedBytes(const WeightItem& item) const;

 private:
  // A part of a layer or a whole head slice, as it is copied.
  struct Part {
    int64_t host_offset = 0;  // In its blob; for layers in one layer's.
    int64_t bytes = 0;
    bool resident = false;
    int64_t device_offset = 0;  // In the resident block or in the slot.
  };
  struct Slot {
    int64_t offset = 0;                          // In the ring's buffer.
    std::vector<std::unique_ptr<Event>> copied;  // One a part.
    std::unique_ptr<Event> free;                 // Compute is done with it.
  };
  struct FedItem {
    WeightItem item;
    Slot* slot = nullptr;
    int64_t fed_bytes = 0;  // Of those that are streamed.
    bool whole = false;     // All shares were queued.
  };
  // Slots for the items of one kind.
  struct Ring {
    std::unique_ptr<Buffer> buffer;
    std::vector<Slot> slots;
    int64_t num_slots = 0;
    int64_t next_slot = 0;
    std::deque<FedItem> fed;  // Front: begun or to begin next.
  };

  WeightStreamer(const MemoryPlan& memory, const WeightPlan& plan,
                 const HostWeights& weights, Stream& copy_in, Stream& compute)
      : memory_(memory),
        plan_(plan),
        weights_(weights),
        copy_in_(copy_in),
        compute_(compute) {}

  void PlaceParts();
  void AliasWeights();
  static absl::Status Allocate(Device& device, int64_t num_slots,
                               int64_t slot_bytes, int64_t num_parts,
                               Ring& ring);
  absl::Status CopyResident(Device& device);
  Ring& RingOf(const WeightItem& item) {
    return item.kind == WeightItem::Kind::kLayer ? layers_ : head_;
  }
  absl::Span<const Part> PartsOf(const WeightItem& item) const;
  // Queues the copies of the streamed bytes [fed.fed_bytes, end).
  absl::Status CopyUpTo(int64_t end, const Ring& ring, FedItem& fed);
  BufferView HostBytes(const WeightItem& item, const Part& part) const;
  // Where the part of the item begun lies; queues the wait for its copy.
  absl::StatusOr<BufferView> Use(int64_t part_index);

  absl::StatusOr<TensorView> Vector(LayerVector which) override;
  absl::StatusOr<std::vector<PlacedPiece>> Matrix(LinearWeight which) override;

  const MemoryPlan& memory_;
  const WeightPlan& plan_;
  const HostWeights& weights_;
  Stream& copy_in_;
  Stream& compute_;

  std::vector<Part> layer_parts_;  // 0: vectors; 1 + i: piece i.
  std::vector<Part> head_parts_;   // One a slice.
  int64_t resident_layer_bytes_ = 0;
  // With one memory these three are the host's weights by another name.
  std::unique_ptr<Buffer> resident_layers_;
  std::unique_ptr<Buffer> resident_head_;
  std::unique_ptr<Buffer> outer_;
  Ring layers_;
  Ring head_;
  Ring* begun_ = nullptr;  // The ring whose front item is begun.
  // Parts of the begun item up to here were waited for by compute.
  int64_t waited_parts_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_WEIGHT_STREAMER_H_
