#include "kernels/testing/tolerance.h"

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"

namespace hybridserve {

double UnitRoundoff(DType dtype) {
  switch (dtype) {
    case DType::kBFloat16:
      return 0x1p-9;
    case DType::kFloat16:
      return 0x1p-12;
    default:
      return 0x1p-24;
  }
}

double SumTolerance(int64_t length, double magnitude, DType output) {
  const double summing =
      static_cast<double>(length + 4) * UnitRoundoff(DType::kFloat32);
  return 2 * (summing + UnitRoundoff(output)) * magnitude;
}

void ExpectNear(const char* what, const Matrix& got, const Matrix& want,
                double tolerance) {
  ASSERT_EQ(got.rows, want.rows) << what;
  ASSERT_EQ(got.cols, want.cols) << what;
  double worst = -1;
  size_t where = 0;
  for (size_t i = 0; i < got.values.size(); ++i) {
    double off = std::abs(got.values[i] - want.values[i]);
    if (std::isnan(off)) off = HUGE_VAL;
    if (off > worst) {
      worst = off;
      where = i;
    }
  }
  if (worst <= tolerance) return;
  ADD_FAILURE() << what << ": element " << where << " of [" << got.rows << ", "
                << got.cols << "] is " << got.values[where] << ", not "
                << want.values[where] << ": off by " << worst << " > "
                << tolerance;
}

double MaxAbs(const Matrix& matrix) {
  double max = 0;
  for (const double value : matrix.values) max = std::max(max, std::abs(value));
  return max;
}

}  // namespace hybridserve
