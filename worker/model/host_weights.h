#ifndef HYBRIDSERVE_WORKER_MODEL_HOST_WEIGHTS_H_
#define HYBRIDSERVE_WORKER_MODEL_HOST_WEIGHTS_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {

// The bytes that LoadWeights fills. Borrowed; sizes as the plan says.
struct WeightSpans {
  absl::Span<char> layers;          // [num_layers][layer.bytes]
  absl::Span<char> head;            // [head.bytes]
  absl::Span<char> outer;           // [outer.bytes]
  absl::Span<char> token_table;     // [token_table.bytes()]
  absl::Span<char> position_table;  // [position_table.bytes()]
};

// A model's weights in host memory, laid out by a WeightPlan: the home from
// which layers are streamed, or, where host and device are one memory, what the
// ops read.
struct HostWeights {
  std::unique_ptr<Buffer> layers;
  std::unique_ptr<Buffer> head;
  std::unique_ptr<Buffer> outer;
  std::unique_ptr<Buffer> token_table;
  std::unique_ptr<Buffer> position_table;

  // Zeroed host buffers of the plan's sizes. ResourceExhausted if there is no
  // room.
  static absl::StatusOr<HostWeights> Allocate(Device& device,
                                              const WeightPlan& plan);

  // The buffers' bytes, for LoadWeights: written before any stream reads them.
  WeightSpans Spans(const WeightPlan& plan) const;

  // Of the buffers that are not pinned (Buffer::pinned()).
  int64_t unpinned_bytes() const;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_HOST_WEIGHTS_H_
