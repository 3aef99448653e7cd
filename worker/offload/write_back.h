#ifndef HYBRIDSERVE_WORKER_OFFLOAD_WRITE_BACK_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_WRITE_BACK_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/cache/block_ref.h"
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

// A layer's new rows, all of a step, in device memory.
struct NewRows {
  TensorView act;  // [rows, act_width]
  TensorView k;    // [rows, kv_width]
  TensorView v;    // [rows, kv_width]
};

// A whole block's K and V in device memory, and the block that is to hold them.
struct KeptBlock {
  KvBlockView rows;
  BlockRef to;
};

// Carries new tokens' K, V or ACT rows from where a layer computed them into
// the cache's blocks, by one scatter a layer; and the K and V of blocks that
// were rebuilt and become KV, by one a mini-batch.
//
// Two buffers are filled in turn, so that a layer computes while the rows of
// the one before are on their way. Blocks that the ops read in place are
// written on the compute stream; the others on the copy-out stream.
// Thread-compatible.
class WriteBack {
 public:
  // All are borrowed and outlive it. `relay` is copy-out's.
  static absl::StatusOr<std::unique_ptr<WriteBack>> Create(
      Device& device, const CacheArenas& arenas, const CacheShape& shape,
      const StepLimits& limits, int64_t num_layers, Stream& compute,
      Stream& copy_out, Relay& relay);

  // Where the next layer's rows go. Queues on compute the wait until the
  // buffer's previous rows have left.
  absl::StatusOr<NewRows> Begin(int64_t rows);

  // Compute has been given all ops that fill the blocks' rows: queues their
  // copies into `layer`. `read` is recorded after them if copy-out reads any.
  // Before the layer's Finish(), which may be of the step to come.
  absl::Status Keep(int64_t layer, int64_t mini_batch,
                    absl::Span<const KeptBlock> blocks, Event& read);

  // Compute has been given all ops that fill the rows: queues their copies into
  // `layer`'s blocks. The next Begin() is of the next layer.
  absl::Status Finish(int64_t layer, absl::Span<const WriteRun> writes);

  // Complete when the last step's writes to `layer` by copy-out are done.
  Event& written(int64_t layer) { return *written_[layer]; }

  // Bytes of one layer over the link.
  int64_t LinkBytes(absl::Span<const WriteRun> writes) const;
  // The same for a block that becomes `to`.
  int64_t LinkBytes(const BlockRef& to) const;

 private:
  struct Slot {
    std::unique_ptr<Buffer> buffer;
    std::unique_ptr<Event> filled;
    std::unique_ptr<Event> left;
  };

  WriteBack(const CacheArenas& arenas, const CacheShape& shape,
            const StepLimits& limits, Stream& compute, Stream& copy_out,
            Relay& relay)
      : arenas_(arenas),
        shape_(shape),
        limits_(limits),
        compute_(compute),
        copy_out_(copy_out),
        relay_(relay) {}

  NewRows RowsOf(const Slot& slot, int64_t rows) const;
  std::vector<CopyRun> Runs(const NewRows& rows, int64_t layer,
                            absl::Span<const WriteRun> writes,
                            bool in_place) const;

  const CacheArenas& arenas_;
  const CacheShape shape_;
  const StepLimits limits_;
  Stream& compute_;
  Stream& copy_out_;
  Relay& relay_;
  std::vector<Slot> slots_;
  int64_t begun_ = 0;  // Layers, ever.
  int64_t current_rows_ = 0;
  std::unique_ptr<Event> rebuilt_;  // Rows to keep are there.
  bool kept_ = false;  // Copy-out has rows of a layer not yet finished.
  std::vector<std::unique_ptr<Event>> written_;  // Indexed by layer.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_WRITE_BACK_H_
