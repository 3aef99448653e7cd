#include "worker/profile/layer_on_device.h"

#include <utility>

#include "common/status_macros.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<LayerOnDevice>> LayerOnDevice::Create(
    const EngineResources& resources, Stream& copy_in) {
  const LayerPlan& plan = resources.plan.layer;
  ASSIGN_OR_RETURN(
      std::unique_ptr<Buffer> blob,
      resources.device->Allocate(MemorySpace::kDevice, plan.bytes));
  std::unique_ptr<LayerOnDevice> layer(
      new LayerOnDevice(resources, copy_in, std::move(blob)));
  RETURN_IF_ERROR(layer->Renew());
  return layer;
}

absl::Status LayerOnDevice::Renew() {
  const CopyRun run = {.dst = {blob_.get(), 0, plan_.bytes},
                       .src = {&weights_, 0, plan_.bytes}};
  RETURN_IF_ERROR(copy_in_.Copy({&run, 1}));
  return copy_in_.Synchronize();
}

absl::StatusOr<TensorView> LayerOnDevice::Vector(LayerVector which) {
  const VectorSlot& slot = plan_.vector(which);
  if (slot.size == 0) return TensorView{};
  return MakeTensor({blob_.get(), slot.offset, slot.size * 4}, DType::kFloat32,
                    1, slot.size);
}

absl::StatusOr<std::vector<PlacedPiece>> LayerOnDevice::Matrix(
    LinearWeight which) {
  std::vector<PlacedPiece> placed;
  for (const WeightPiece& piece : plan_.pieces) {
    if (piece.weight != which) continue;
    placed.push_back(
        {.piece = piece, .bytes = {blob_.get(), piece.offset, piece.bytes}});
  }
  return placed;
}

}  // namespace hybridserve
