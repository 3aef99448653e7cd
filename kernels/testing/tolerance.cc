#include "kernels/testing/tolerance.h"

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

std::map<std::string, double>& Worst() {
  static auto& worst = *new std::map<std::string, double>();
  return worst;
}

void Remember(double share) {
  const ::testing::TestInfo* const test =
      ::testing::UnitTest::GetInstance()->current_test_info();
  double& worst = Worst()[test == nullptr ? "" : test->name()];
  worst = std::max(worst, share);
}

}  // namespace

std::map<std::string, double> WorstErrors() { return Worst(); }

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
  if (tolerance > 0) Remember(std::max(worst, 0.0) / tolerance);
  if (worst <= tolerance) return;
  ADD_FAILURE() << what << ": element " << where << " of [" << got.rows << ", "
                << got.cols << "] is " << got.values[where] << ", not "
                << want.values[where] << ": off by " << worst << " > "
                << tolerance;
}

void ExpectNear(const char* what, double got, double want, double tolerance) {
  Matrix got_matrix(1, 1);
  got_matrix(0, 0) = got;
  Matrix want_matrix(1, 1);
  want_matrix(0, 0) = want;
  ExpectNear(what, got_matrix, want_matrix, tolerance);
}

double MaxAbs(const Matrix& matrix) {
  double max = 0;
  for (const double value : matrix.values) max = std::max(max, std::abs(value));
  return max;
}

}  // namespace hybridserve
