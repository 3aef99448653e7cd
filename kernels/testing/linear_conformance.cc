#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/reference_ops.h"
#include "kernels/testing/ops_conformance.h"
#include "kernels/testing/ops_harness.h"
#include "kernels/testing/tolerance.h"

namespace hybridserve {
namespace {

struct Shape {
  int64_t m, n, k;
};

// Odd, 0, 1 and beyond every block size of the kernels we know.
constexpr Shape kShapes[] = {
    {0, 16, 8},    {1, 1, 1},       {1, 0, 4},     {2, 5, 0},     {1, 64, 48},
    {3, 17, 7},    {2, 33, 129},    {5, 100, 31},  {6, 16, 16},   {7, 130, 257},
    {8, 15, 300},  {13, 48, 65},    {12, 128, 64}, {17, 257, 90}, {64, 80, 512},
    {241, 40, 33}, {250, 129, 260},
};

// Wide enough for a sum of k normal products and a bias.
double Tolerance(int64_t k, DType output) {
  return SumTolerance(k + 1, 6 * std::sqrt(static_cast<double>(k)) + 6, output);
}

// One linear layer on `device`, all rows and columns at once.
Matrix RunLinear(Device& device, const Shape& shape, DType dtype, DType y_dtype,
                 Activation activation, bool has_bias) {
  OpsHarness harness(device);
  const Matrix x = RandomMatrix(shape.m, shape.k, dtype, 1);
  const Matrix weight = RandomMatrix(shape.n, shape.k, dtype, 2);
  const Matrix bias = RandomMatrix(1, shape.n, DType::kFloat32, 3);
  const TensorView y = harness.Result(shape.m, shape.n, y_dtype, 2);
  LinearArgs args{.x = harness.Put(x, dtype, 5),
                  .weight = harness.PutWeight(weight, dtype),
                  .shape = {shape.n, shape.k, dtype},
                  .bias = {},
                  .y = y,
                  .activation = activation};
  if (has_bias) args.bias = harness.Put(bias, DType::kFloat32);
  EXPECT_TRUE(harness.ops().Linear(harness.stream(), args).ok());
  return harness.Get(y);
}

TEST_P(OpsConformance, LinearAgreesWithTheDefinition) {
  for (const DType dtype : dtypes()) {
    for (const Shape& shape : kShapes) {
      SCOPED_TRACE(testing::Message() << Name(dtype) << " m=" << shape.m
                                      << " n=" << shape.n << " k=" << shape.k);
      const Matrix want = LinearReference(
          RandomMatrix(shape.m, shape.k, dtype, 1),
          RandomMatrix(shape.n, shape.k, dtype, 2),
          RandomMatrix(1, shape.n, DType::kFloat32, 3), Activation::kNone);
      for (const DType y_dtype : {DType::kFloat32, dtype}) {
        ExpectNear(
            "y",
            RunLinear(device(), shape, dtype, y_dtype, Activation::kNone, true),
            want, Tolerance(shape.k, y_dtype));
      }
    }
  }
}

TEST_P(OpsConformance, LinearActivatesAndLeavesOutTheBias) {
  const Shape shape{9, 37, 50};
  for (const DType dtype : dtypes()) {
    for (const Activation activation : {Activation::kNone, Activation::kRelu,
                                        Activation::kGelu, Activation::kSilu}) {
      for (const bool has_bias : {false, true}) {
        Matrix bias;
        if (has_bias) bias = RandomMatrix(1, shape.n, DType::kFloat32, 3);
        const Matrix want = LinearReference(
            RandomMatrix(shape.m, shape.k, dtype, 1),
            RandomMatrix(shape.n, shape.k, dtype, 2), bias, activation);
        ExpectNear(
            "y", RunLinear(device(), shape, dtype, dtype, activation, has_bias),
            want, Tolerance(shape.k, dtype));
      }
    }
  }
}

TEST_P(OpsConformance, LinearAccumulatesIntoTheResidual) {
  const Shape shape{7, 35, 70};
  for (const DType dtype : dtypes()) {
    OpsHarness harness(device());
    const Matrix x = RandomMatrix(shape.m, shape.k, dtype, 1);
    const Matrix weight = RandomMatrix(shape.n, shape.k, dtype, 2);
    const Matrix bias = RandomMatrix(1, shape.n, DType::kFloat32, 3);
    const Matrix residual = RandomMatrix(shape.m, shape.n, DType::kFloat32, 4);
    const TensorView y = harness.Put(residual, DType::kFloat32, 3);
    const LinearArgs args{.x = harness.Put(x, dtype),
                          .weight = harness.PutWeight(weight, dtype),
                          .shape = {shape.n, shape.k, dtype},
                          .bias = harness.Put(bias, DType::kFloat32),
                          .y = y,
                          .accumulate = true};
    ASSERT_TRUE(harness.ops().Linear(harness.stream(), args).ok());
    Matrix want = LinearReference(x, weight, bias, Activation::kNone);
    for (size_t i = 0; i < want.values.size(); ++i) {
      want.values[i] += residual.values[i];
    }
    ExpectNear("y", harness.Get(y), want, Tolerance(shape.k, DType::kFloat32));
  }
}

TEST_P(OpsConformance, LinearMultipliesWhatIsThere) {
  const Shape shape{7, 35, 70};
  for (const DType dtype : dtypes()) {
    for (const DType y_dtype : {DType::kFloat32, dtype}) {
      OpsHarness harness(device());
      const Matrix x = RandomMatrix(shape.m, shape.k, dtype, 1);
      const Matrix weight = RandomMatrix(shape.n, shape.k, dtype, 2);
      const Matrix bias = RandomMatrix(1, shape.n, DType::kFloat32, 3);
      const Matrix gate = RandomMatrix(shape.m, shape.n, y_dtype, 4);
      const TensorView y = harness.Put(gate, y_dtype, 3);
      const LinearArgs args{.x = harness.Put(x, dtype),
                            .weight = harness.PutWeight(weight, dtype),
                            .shape = {shape.n, shape.k, dtype},
                            .bias = harness.Put(bias, DType::kFloat32),
                            .y = y,
                            .multiply = true};
      ASSERT_TRUE(harness.ops().Linear(harness.stream(), args).ok());
      Matrix want = LinearReference(x, weight, bias, Activation::kNone);
      for (size_t i = 0; i < want.values.size(); ++i) {
        want.values[i] *= gate.values[i];
      }
      ExpectNear("y", harness.Get(y), want,
                 MaxAbs(gate) * Tolerance(shape.k, y_dtype));
    }
  }
}

// The contract of kernels/ops.h: a row alone, or in any company, or split by
// columns into pieces, or on two threads, has the same bits.
TEST_P(OpsConformance, LinearRowsAndColumnsAreIndependentBitForBit) {
  if (!GetParam().rows_are_independent) {
    GTEST_SKIP() << "this backend does not promise it";
  }
  constexpr int64_t kN = 144;
  const int64_t alignment = device().weight_layout().piece_alignment();
  const std::unique_ptr<Device> two_threads = GetParam().make_device(2);
  for (const DType dtype : dtypes()) {
    for (const int64_t k : {1, 64, 300, 777}) {
      SCOPED_TRACE(testing::Message() << Name(dtype) << " k=" << k);
      OpsHarness harness(*two_threads);
      const Matrix x = RandomMatrix(258, k, dtype, 1);
      const Matrix weight = RandomMatrix(kN, k, dtype, 2);
      const TensorView all_x = harness.Put(x, dtype);
      const BufferView all_weight = harness.PutWeight(weight, dtype);
      const TensorView all = harness.Result(x.rows, kN, DType::kFloat32);
      LinearArgs args{.x = all_x,
                      .weight = all_weight,
                      .shape = {kN, k, dtype},
                      .bias = {},
                      .y = all};
      ASSERT_TRUE(harness.ops().Linear(harness.stream(), args).ok());

      for (const int64_t rows : {1, 2, 3, 5, 6, 8, 16, 17, 64, 257}) {
        SCOPED_TRACE(rows);
        OpsHarness one_thread(device());
        const TensorView some = one_thread.Result(rows, kN, DType::kFloat32);
        args.x = one_thread.Put(RowsOf(x, 1, rows), dtype);
        args.weight = one_thread.PutWeight(weight, dtype);
        args.y = some;
        ASSERT_TRUE(one_thread.ops().Linear(one_thread.stream(), args).ok());
        EXPECT_TRUE(one_thread.GetBytes(some) ==
                    harness.GetBytes(all.Rows(1, rows)));
      }

      if (!GetParam().columns_are_independent) continue;
      for (int64_t first = 0; first < kN; first += alignment) {
        SCOPED_TRACE(first);
        const int64_t columns = std::min(alignment, kN - first);
        const TensorView piece =
            harness.Result(x.rows, columns, DType::kFloat32);
        args.x = all_x;
        args.weight = harness.PutWeight(RowsOf(weight, first, columns), dtype);
        args.shape.n = columns;
        args.y = piece;
        ASSERT_TRUE(harness.ops().Linear(harness.stream(), args).ok());
        EXPECT_TRUE(harness.GetBytes(piece) ==
                    harness.GetBytes(all.Cols(first, columns)));
        args.shape.n = kN;
      }
    }
  }
}

TEST_P(OpsConformance, LinearWritesOnlyItsResult) {
  for (const DType dtype : dtypes()) {
    OpsHarness harness(device());
    const TensorView y = harness.Result(5, 24, DType::kFloat32);
    const LinearArgs args{
        .x = harness.Put(RandomMatrix(3, 8, dtype, 1), dtype),
        .weight = harness.PutWeight(RandomMatrix(17, 8, dtype, 2), dtype),
        .shape = {17, 8, dtype},
        .bias = {},
        .y = y.Rows(1, 3).Cols(4, 17)};
    ASSERT_TRUE(harness.ops().Linear(harness.stream(), args).ok());
    const Matrix after = harness.Get(y);
    for (int64_t r = 0; r < 5; ++r) {
      for (int64_t c = 0; c < 24; ++c) {
        const bool inside = r >= 1 && r < 4 && c >= 4 && c < 21;
        EXPECT_NE(std::isnan(after(r, c)), inside) << r << " " << c;
      }
    }
  }
}

}  // namespace
}  // namespace hybridserve
