#include "kernels/linear_probe.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/status_macros.h"
#include "hwy/aligned_allocator.h"
#include "kernels/element_convert.h"

namespace hybridserve {
namespace {

constexpr int64_t kColumns = 192;
constexpr int64_t kRows = 80;
// Row counts on both sides of the tiles and buckets that kernels use.
constexpr int64_t kRowCounts[] = {1, 2, 3, 5, 8, 16, 17, 33, 64};

// Random elements, the same on every call.
std::vector<char> Elements(DType dtype, int64_t count, uint32_t seed) {
  std::minstd_rand rng(seed);
  std::vector<float> floats(count);
  for (float& value : floats) {
    value = static_cast<float>(rng() % 65536) / 32768 - 1;
  }
  std::vector<char> bytes(count * SizeOf(dtype));
  ConvertElements(DType::kFloat32, floats.data(), dtype, bytes.data(), count);
  return bytes;
}

class Probe {
 public:
  Probe(LinearKernel& kernel, DType dtype, int64_t k)
      : kernel_(kernel),
        dtype_(dtype),
        k_(k),
        x_(Elements(dtype, kRows * k, 1)),
        weight_(Elements(dtype, kColumns * k, 2)) {}

  // Rows [first_row, + rows) times output features [first, + columns).
  absl::StatusOr<std::vector<float>> Run(int64_t first_row, int64_t rows,
                                         int64_t first, int64_t columns,
                                         ThreadPool& pool) {
    const WeightShape shape{columns, k_, dtype_};
    const int64_t row_bytes = k_ * SizeOf(dtype_);
    const int64_t blob_bytes = kernel_.layout().PackedBytes(shape);
    const auto blob = hwy::AllocateAligned<char>(blob_bytes);
    RETURN_IF_ERROR(
        kernel_.layout().Pack(shape, dtype_,
                              absl::MakeConstSpan(weight_).subspan(
                                  first * row_bytes, columns * row_bytes),
                              absl::MakeSpan(blob.get(), blob_bytes)));
    std::vector<float> y(rows * columns);
    kernel_.Run({.x = x_.data() + first_row * row_bytes,
                 .x_stride = k_,
                 .weight = blob.get(),
                 .dtype = dtype_,
                 .bias = nullptr,
                 .y = y.data(),
                 .y_stride = columns,
                 .y_dtype = DType::kFloat32,
                 .m = rows,
                 .n = columns,
                 .k = k_},
                pool);
    return y;
  }

 private:
  LinearKernel& kernel_;
  const DType dtype_;
  const int64_t k_;
  const std::vector<char> x_;
  const std::vector<char> weight_;
};

bool SameBits(const float* a, const float* b, int64_t count) {
  return std::memcmp(a, b, count * sizeof(float)) == 0;
}

}  // namespace

absl::Status ProbeLinear(LinearKernel& kernel, DType dtype, int64_t k) {
  Probe probe(kernel, dtype, k);
  ThreadPool one(1);
  ThreadPool two(2);
  ASSIGN_OR_RETURN(const std::vector<float> all,
                   probe.Run(0, kRows, 0, kColumns, one));
  const auto broken = [&](absl::string_view what) {
    return absl::FailedPreconditionError(
        absl::StrCat(kernel.name(), ", ", Name(dtype), ", k=", k,
                     ": other bits for ", what));
  };
  ASSIGN_OR_RETURN(const std::vector<float> threaded,
                   probe.Run(0, kRows, 0, kColumns, two));
  if (threaded != all) return broken("2 threads");
  for (const int64_t rows : kRowCounts) {
    ASSIGN_OR_RETURN(const std::vector<float> some,
                     probe.Run(1, rows, 0, kColumns, two));
    if (!SameBits(some.data(), all.data() + kColumns, rows * kColumns)) {
      return broken(absl::StrCat(rows, " rows"));
    }
  }
  const int64_t piece = kernel.layout().piece_alignment();
  for (int64_t first = 0; first < kColumns; first += piece) {
    const int64_t columns = std::min(piece, kColumns - first);
    for (const int64_t rows : {int64_t{1}, kRows}) {
      ASSIGN_OR_RETURN(const std::vector<float> part,
                       probe.Run(0, rows, first, columns, one));
      for (int64_t r = 0; r < rows; ++r) {
        if (!SameBits(part.data() + r * columns,
                      all.data() + r * kColumns + first, columns)) {
          return broken(absl::StrCat("a piece of ", columns, " columns"));
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
