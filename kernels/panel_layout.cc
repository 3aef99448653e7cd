#include "kernels/panel_layout.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "kernels/element_convert.h"

namespace hybridserve {
namespace {

// Input features converted at a time: 16 rows of them stay in the L1 cache.
constexpr int64_t kTileDepth = 128;

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Elements of compute dtype `Element`, kPanelColumns rows of kTileDepth.
template <typename Element>
using Tile = std::array<std::array<Element, kTileDepth>, kPanelColumns>;

// Packs one panel: `columns` rows of the source starting at `rows`.
template <typename Element>
void PackPanel(DType dtype, int64_t k, int64_t columns, DType source,
               const char* rows, Element* panel) {
  // Interleaved input features: 1 for float32, 2 for bfloat16.
  constexpr int64_t kGroup = 4 / sizeof(Element);
  Tile<Element> tile;
  for (int64_t first = 0; first < k; first += kTileDepth) {
    const int64_t depth = std::min(kTileDepth, k - first);
    for (int64_t c = 0; c < kPanelColumns; ++c) {
      Element* row = tile[c].data();
      int64_t filled = 0;
      if (c < columns) {
        ConvertElements(source, rows + (c * k + first) * SizeOf(source), dtype,
                        row, depth);
        filled = depth;
      }
      std::fill(row + filled, row + kTileDepth, Element{0});
    }
    for (int64_t d = 0; d < depth; d += kGroup) {
      for (int64_t c = 0; c < kPanelColumns; ++c) {
        std::memcpy(panel, tile[c].data() + d, 4);
        panel += kGroup;
      }
    }
  }
}

}  // namespace

int64_t PanelBytes(int64_t k, DType dtype) {
  const int64_t groups = dtype == DType::kBFloat16 ? CeilDiv(k, 2) : k;
  return groups * kPanelColumns * 4;
}

int64_t PanelLayout::PackedBytes(const WeightShape& shape) const {
  return CeilDiv(shape.n, kPanelColumns) * PanelBytes(shape.k, shape.dtype);
}

absl::Status PanelLayout::Pack(const WeightShape& shape, DType source,
                               absl::Span<const char> rows,
                               absl::Span<char> blob) const {
  if (shape.dtype != DType::kFloat32 && shape.dtype != DType::kBFloat16) {
    return absl::InvalidArgumentError(
        absl::StrCat("no cpu weights of dtype ", Name(shape.dtype)));
  }
  if (source == DType::kInt32) {
    return absl::InvalidArgumentError("weights of dtype int32");
  }
  const int64_t want_rows = shape.n * shape.k * SizeOf(source);
  const int64_t want_blob = PackedBytes(shape);
  if (static_cast<int64_t>(rows.size()) != want_rows ||
      static_cast<int64_t>(blob.size()) != want_blob) {
    return absl::InvalidArgumentError(absl::StrCat(
        "packing [", shape.n, ", ", shape.k, "]: ", rows.size(), " bytes into ",
        blob.size(), ", not ", want_rows, " into ", want_blob));
  }
  const int64_t panel_bytes = PanelBytes(shape.k, shape.dtype);
  const int64_t row_bytes = shape.k * SizeOf(source);
  for (int64_t n = 0; n < shape.n; n += kPanelColumns) {
    const int64_t columns = std::min(kPanelColumns, shape.n - n);
    const char* from = rows.data() + n * row_bytes;
    char* panel = blob.data() + n / kPanelColumns * panel_bytes;
    if (shape.dtype == DType::kFloat32) {
      PackPanel(shape.dtype, shape.k, columns, source, from,
                reinterpret_cast<float*>(panel));
    } else {
      PackPanel(shape.dtype, shape.k, columns, source, from,
                reinterpret_cast<uint16_t*>(panel));
    }
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
