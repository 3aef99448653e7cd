#ifndef HYBRIDSERVE_KERNELS_PANEL_LAYOUT_H_
#define HYBRIDSERVE_KERNELS_PANEL_LAYOUT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "kernels/weight_layout.h"

namespace hybridserve {

// Output features of one panel.
inline constexpr int64_t kPanelColumns = 16;

// The layout that LinearCpu reads: panels of 16 output features, each stored
// input feature by input feature, so that a product with any number of rows
// reads the blob once from start to end.
//
//   float32:  [ceil(n / 16)][k][16]
//   bfloat16: [ceil(n / 16)][ceil(k / 2)][16][2]: pairs of input features, so
//             that one 32-bit load and a shift or a mask give two floats.
//
// Output features past n and input features past k are zero. Thread-safe.
class PanelLayout final : public WeightLayout {
 public:
  int64_t piece_alignment() const override { return kPanelColumns; }
  int64_t PackedBytes(const WeightShape& shape) const override;
  // InvalidArgument unless shape.dtype is float32 or bfloat16, `source` a
  // floating-point type and the sizes of `rows` and `blob` what they must be.
  absl::Status Pack(const WeightShape& shape, DType source,
                    absl::Span<const char> rows,
                    absl::Span<char> blob) const override;
};

// Bytes of one panel of a weight with `k` input features.
int64_t PanelBytes(int64_t k, DType dtype);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_PANEL_LAYOUT_H_
