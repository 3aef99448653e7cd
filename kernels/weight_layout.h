#ifndef HYBRIDSERVE_KERNELS_WEIGHT_LAYOUT_H_
#define HYBRIDSERVE_KERNELS_WEIGHT_LAYOUT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/dtype.h"

namespace hybridserve {

// A piece of a linear layer's weight: rows (output features) of the [N, K]
// matrix that checkpoints hold.
struct WeightShape {
  int64_t n = 0;                  // Output features of the piece.
  int64_t k = 0;                  // Input features.
  DType dtype = DType::kFloat32;  // Compute dtype: float32 or bfloat16.

  friend bool operator==(const WeightShape&, const WeightShape&) = default;
};

// How a backend stores weights: one packed blob a piece, one layout for every
// number of rows, position independent, copied across the link as bytes.
//
// Pieces let a weight be split by output features (part resident, part
// streamed; the LM head in vocabulary slices) without changing a result: by
// the contract of Ops::Linear a column does not depend on the split.
// Thread-safe.
class WeightLayout {
 public:
  virtual ~WeightLayout() = default;
  // Output features of a piece must be a multiple of this, but for the last
  // piece of a weight.
  virtual int64_t piece_alignment() const = 0;
  // Size of the blob, a multiple of 64.
  virtual int64_t PackedBytes(const WeightShape& shape) const = 0;
  // Packs `rows`: row-major [n, k], of `source` dtype (float32, bfloat16 or
  // float16), unaligned, straight from the mapped file. `blob` has
  // PackedBytes(shape) bytes of host memory. The conversion rounds to nearest
  // even. Deterministic.
  virtual absl::Status Pack(const WeightShape& shape, DType source,
                            absl::Span<const char> rows,
                            absl::Span<char> blob) const = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_WEIGHT_LAYOUT_H_
