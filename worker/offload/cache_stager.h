#ifndef HYBRIDSERVE_WORKER_OFFLOAD_CACHE_STAGER_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_CACHE_STAGER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device.h"
#include "kernels/device/tensor_view.h"
#include "kernels/ops.h"
#include "worker/offload/cache_arena.h"
#include "worker/offload/cache_shape.h"
#include "worker/offload/relay.h"
#include "worker/offload/step_layout.h"
#include "worker/offload/step_limits.h"

namespace hybridserve {

// Brings a mini-batch's cached blocks of one layer to where attention reads
// them, through staging areas that are used in turn.
//
// An area holds, for the mini-batch in it, K of all staged blocks, then V of
// them, then ACT rows: [K: n blocks][V: n blocks][ACT: n_act blocks], the
// blocks rebuilt from ACT first, then those recomputed from token ids. So the
// rows to rebuild are one matrix, those to recompute are one, and so are the
// keys and values made from either.
//
// Call per (layer, mini-batch) in the order of computation: Stage(), which may
// run one mini-batch ahead, then BeginRebuild(), StagedBlock() for what is to
// be kept, RecomputedRows() for each chunk, BeginAttention(), Finish().
// Thread-compatible.
class CacheStager {
 public:
  // All are borrowed and outlive the stager. `relay` is copy-in's.
  static absl::StatusOr<std::unique_ptr<CacheStager>> Create(
      Device& device, const CacheArenas& arenas, const CacheShape& shape,
      const StepLimits& limits, int num_areas, int64_t area_bytes,
      Stream& copy_in, Relay& relay, Stream& compute);

  // Queues the copies over the link: ACT, then KV. `written` (null: none) is
  // the event after which what earlier steps wrote to this layer is in place.
  // `index` is the mini-batch's in its step, for traces.
  absl::Status Stage(int64_t layer, int64_t index,
                     const MiniBatchLayout& mini_batch, Event* written);

  // The oldest staged mini-batch: queues on compute what must precede the
  // rebuild, and says from where to where. Empty views if nothing is rebuilt.
  struct Rebuild {
    TensorView act;  // [n_act * block_tokens, act_width]
    TensorView k;    // [n_act * block_tokens, kv_width]
    TensorView v;
    // Of the rows, where keys are turned by them; -1: filled up.
    std::vector<int32_t> positions;
  };
  absl::StatusOr<Rebuild> BeginRebuild();

  // Where the oldest staged mini-batch has a block's K and V. A stream other
  // than compute that reads them records kept() afterwards: the area is not
  // filled anew before.
  KvBlockView StagedBlock(int32_t staging_index) const;
  Event& kept() { return *current().kept; }

  // Where a chunk's K and V go, and what its rows attend to: those of the chunk
  // itself and of the chunks before.
  struct Recompute {
    TensorView k;  // [chunk rows, kv_width]
    TensorView v;
    std::vector<int32_t> positions;            // Of the chunk's rows, likewise.
    std::vector<AttentionSequence> sequences;  // Rows count from the chunk's.
  };
  Recompute RecomputedRows(const RecomputedChunk& chunk) const;

  // Queues on compute what must precede attention, and says which blocks each
  // sequence attends to. Rows count from the mini-batch's first.
  absl::StatusOr<std::vector<AttentionSequence>> BeginAttention();

  // All ops that read the mini-batch's blocks were queued on compute; its area
  // may be filled anew after them.
  absl::Status Finish();

  // Bytes of one layer of a mini-batch over the link.
  int64_t ActBytes(const MiniBatchLayout& mini_batch) const;
  int64_t KvBytes(const MiniBatchLayout& mini_batch) const;

 private:
  struct Area {
    std::unique_ptr<Buffer> buffer;  // Null where an area has no bytes.
    std::unique_ptr<Event> act_copied;
    std::unique_ptr<Event> kv_copied;
    std::unique_ptr<Event> free;
    std::unique_ptr<Event> kept;  // What is kept of it was read.
    const MiniBatchLayout* mini_batch = nullptr;
    int64_t layer = 0;
  };

  CacheStager(const CacheArenas& arenas, const CacheShape& shape,
              const StepLimits& limits, Stream& copy_in, Relay& relay,
              Stream& compute)
      : arenas_(arenas),
        shape_(shape),
        limits_(limits),
        copy_in_(copy_in),
        relay_(relay),
        compute_(compute) {}

  Area& current() { return areas_[finished_ % areas_.size()]; }
  const Area& current() const { return areas_[finished_ % areas_.size()]; }
  // Positions of the rows to rebuild; none where nothing is turned by them.
  std::vector<int32_t> ActPositions(const Area& area) const;
  // Copies of ACT blocks, of tiers read in place or of the others.
  std::vector<CopyRun> ActRuns(const Area& area, bool in_place) const;
  std::vector<CopyRun> KvRuns(const Area& area) const;
  // K (second = false) or V of one staged block / its ACT rows.
  BufferView StagedKv(const Area& area, int32_t index, bool second) const;
  // Rows from row `first` of such a block on, of blocks side by side.
  TensorView StagedRows(const BufferView& block, int64_t first, int64_t rows,
                        int64_t width) const;
  BufferView StagedAct(const Area& area, int32_t index) const;
  KvBlockView BlockView(const Area& area, const BlockUse& use) const;

  const CacheArenas& arenas_;
  const CacheShape shape_;
  const StepLimits limits_;
  Stream& copy_in_;
  Relay& relay_;
  Stream& compute_;
  std::vector<Area> areas_;
  int64_t staged_ = 0;    // Mini-batches, ever.
  int64_t finished_ = 0;  // Of them.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_CACHE_STAGER_H_
