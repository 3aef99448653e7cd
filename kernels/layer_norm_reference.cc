#include <cmath>

#include "kernels/reference_ops.h"

namespace hybridserve {

Matrix LayerNormReference(const Matrix& x, const Matrix& gain,
                          const Matrix& bias, double epsilon, bool center) {
  Matrix y(x.rows, x.cols);
  for (int64_t r = 0; r < x.rows; ++r) {
    double mean = 0;
    for (int64_t c = 0; c < x.cols && center; ++c) mean += x(r, c);
    mean /= static_cast<double>(x.cols);

    double variance = 0;
    for (int64_t c = 0; c < x.cols; ++c) {
      variance += (x(r, c) - mean) * (x(r, c) - mean);
    }
    variance /= static_cast<double>(x.cols);

    for (int64_t c = 0; c < x.cols; ++c) {
      const double normal = (x(r, c) - mean) / std::sqrt(variance + epsilon);
      y(r, c) = normal * (gain.values.empty() ? 1 : gain(0, c)) +
                (bias.values.empty() ? 0 : bias(0, c));
    }
  }
  return y;
}

}  // namespace hybridserve
