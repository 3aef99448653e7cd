#include <cmath>

#include "kernels/reference_ops.h"

namespace hybridserve {

Matrix RotaryReference(const Matrix& x, absl::Span<const float> frequencies,
                       absl::Span<const int32_t> positions) {
  Matrix y = x;
  const auto half = static_cast<int64_t>(frequencies.size());
  for (int64_t r = 0; r < x.rows; ++r) {
    if (positions[r] < 0) continue;
    for (int64_t head = 0; head < x.cols; head += 2 * half) {
      for (int64_t i = 0; i < half; ++i) {
        const double angle = static_cast<float>(positions[r]) * frequencies[i];
        const double first = x(r, head + i);
        const double second = x(r, head + half + i);
        y(r, head + i) = first * std::cos(angle) - second * std::sin(angle);
        y(r, head + half + i) =
            second * std::cos(angle) + first * std::sin(angle);
      }
    }
  }
  return y;
}

}  // namespace hybridserve
