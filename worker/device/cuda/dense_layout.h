#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_DENSE_LAYOUT_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_DENSE_LAYOUT_H_

#include "kernels/weight_layout.h"

namespace hybridserve {

// Weights as checkpoints have them, [n, k] row-major, in the compute dtype.
class DenseLayout final : public WeightLayout {
 public:
  int64_t piece_alignment() const override { return 8; }
  int64_t PackedBytes(const WeightShape& shape) const override;
  absl::Status Pack(const WeightShape& shape, DType source,
                    absl::Span<const char> rows,
                    absl::Span<char> blob) const override;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_DENSE_LAYOUT_H_
