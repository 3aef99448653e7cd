#ifndef HYBRIDSERVE_WORKER_PROFILE_LAYER_ON_DEVICE_H_
#define HYBRIDSERVE_WORKER_PROFILE_LAYER_ON_DEVICE_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
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
  // Copies the layer, and waits. `resources` and `copy_in` are borrowed and
  // outlive it.
  static absl::StatusOr<std::unique_ptr<LayerOnDevice>> Create(
      const EngineResources& resources, Stream& copy_in);

  // Copies the layer anew, and waits: it has then just come, as in a step.
  absl::Status Renew();

  absl::StatusOr<TensorView> Vector(LayerVector which) override;
  absl::StatusOr<std::vector<PlacedPiece>> Matrix(LinearWeight which) override;

 private:
  LayerOnDevice(const EngineResources& resources, Stream& copy_in,
                std::unique_ptr<Buffer> blob)
      : plan_(resources.plan.layer),
        weights_(*resources.weights.layers),
        copy_in_(copy_in),
        blob_(std::move(blob)) {}

  const LayerPlan& plan_;
  const Buffer& weights_;
  Stream& copy_in_;
  const std::unique_ptr<Buffer> blob_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_PROFILE_LAYER_ON_DEVICE_H_
