#ifndef HYBRIDSERVE_WORKER_MODEL_LAYER_WEIGHTS_H_
#define HYBRIDSERVE_WORKER_MODEL_LAYER_WEIGHTS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "kernels/device/buffer.h"
#include "kernels/device/tensor_view.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {

// A piece of a matrix where the ops can read it.
struct PlacedPiece {
  WeightPiece piece;
  BufferView bytes;
};

// One layer's weights as they arrive on the device. What it returns may be read
// by ops that the caller queues afterwards on the compute stream: the waits for
// the copies are queued on demand, so work on early parts overlaps with the
// copies of later ones. Thread-compatible.
class LayerWeights {
 public:
  virtual ~LayerWeights() = default;
  // [1, size] float32; empty if the model has no such vector.
  virtual absl::StatusOr<TensorView> Vector(LayerVector which) = 0;
  // All pieces, in ascending rows.
  virtual absl::StatusOr<std::vector<PlacedPiece>> Matrix(
      LinearWeight which) = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_LAYER_WEIGHTS_H_
