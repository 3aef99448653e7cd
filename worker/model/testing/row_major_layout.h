#ifndef HYBRIDSERVE_WORKER_MODEL_TESTING_ROW_MAJOR_LAYOUT_H_
#define HYBRIDSERVE_WORKER_MODEL_TESTING_ROW_MAJOR_LAYOUT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "glog/logging.h"
#include "kernels/element_convert.h"
#include "kernels/weight_layout.h"

namespace hybridserve {

// A layout that tests can read: row-major [n, k] in the compute dtype, padded
// to 64 bytes. Thread-safe.
class RowMajorLayout final : public WeightLayout {
 public:
  explicit RowMajorLayout(int64_t alignment = 16) : alignment_(alignment) {}

  int64_t piece_alignment() const override { return alignment_; }

  int64_t PackedBytes(const WeightShape& shape) const override {
    return (shape.n * shape.k * SizeOf(shape.dtype) + 63) / 64 * 64;
  }

  absl::Status Pack(const WeightShape& shape, DType source,
                    absl::Span<const char> rows,
                    absl::Span<char> blob) const override {
    const int64_t elements = shape.n * shape.k;
    CHECK_EQ(static_cast<int64_t>(rows.size()), elements * SizeOf(source));
    CHECK_EQ(static_cast<int64_t>(blob.size()), PackedBytes(shape));
    ConvertElements(source, rows.data(), shape.dtype, blob.data(), elements);
    return absl::OkStatus();
  }

 private:
  const int64_t alignment_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_TESTING_ROW_MAJOR_LAYOUT_H_
