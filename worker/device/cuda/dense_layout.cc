#include "worker/device/cuda/dense_layout.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "kernels/element_convert.h"

namespace hybridserve {

int64_t DenseLayout::PackedBytes(const WeightShape& shape) const {
  const int64_t bytes = shape.n * shape.k * SizeOf(shape.dtype);
  return (bytes + 63) / 64 * 64;
}

absl::Status DenseLayout::Pack(const WeightShape& shape, DType source,
                               absl::Span<const char> rows,
                               absl::Span<char> blob) const {
  const int64_t elements = shape.n * shape.k;
  if (static_cast<int64_t>(rows.size()) != elements * SizeOf(source) ||
      static_cast<int64_t>(blob.size()) != PackedBytes(shape)) {
    return absl::InvalidArgumentError(
        absl::StrCat("weight of ", shape.n, " x ", shape.k, ": ", rows.size(),
                     " bytes into ", blob.size()));
  }
  ConvertElements(source, rows.data(), shape.dtype, blob.data(), elements);
  const int64_t used = elements * SizeOf(shape.dtype);
  std::memset(blob.data() + used, 0, blob.size() - used);
  return absl::OkStatus();
}

}  // namespace hybridserve
