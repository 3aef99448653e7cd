#ifndef HYBRIDSERVE_WORKER_PROFILE_LAYER_ON_DEVICE_H_
#define HYBRIDSERVE_WORKER_PROFILE_LAYER_ON_DEVICE_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device.h"
#include "worker/model/layer_weights.h"
#include "worker/offload/engine_resources.h"

namespace hybridserve {

// Layer 0's weights, whole on the device: what ops are timed with.
// Thread-compatible.
class LayerOnDevice final : public LayerWeights {
 public:
  // Copies the layer, and waits. `resources` is borrowed and outlives it.
  static absl::StatusOr<std::unique_ptr<LayerOnDevice>> Create(
      const EngineResources& resources, Stream& copy_in);

  absl::StatusOr<TensorView> Vector(LayerVector which) override;
  absl::StatusOr<std::vector<PlacedPiece>> Matrix(LinearWeight which) override;

 private:
  LayerOnDevice(const LayerPlan& plan, std::unique_ptr<Buffer> blob)
      : plan_(plan), blob_(std::move(blob)) {}

  const LayerPlan& plan_;
  const std::unique_ptr<Buffer> blob_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_PROFILE_LAYER_ON_DEVICE_H_
