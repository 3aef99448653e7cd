#include <cmath>

#include "kernels/reference_ops.h"

namespace hybridserve {
namespace {

double Activate(double x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
  }
  return x;
}

}  // namespace

Matrix LinearReference(const Matrix& x, const Matrix& weight,
                       const Matrix& bias, Activation activation) {
  Matrix y(x.rows, weight.rows);
  for (int64_t m = 0; m < x.rows; ++m) {
    for (int64_t n = 0; n < weight.rows; ++n) {
      double sum = bias.values.empty() ? 0 : bias(0, n);
      for (int64_t k = 0; k < x.cols; ++k) sum += x(m, k) * weight(n, k);
      y(m, n) = Activate(sum, activation);
    }
  }
  return y;
}

}  // namespace hybridserve
