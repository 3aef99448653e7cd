#include "gtest/gtest.h"
#include "kernels/reference_ops.h"
#include "kernels/testing/ops_conformance.h"
#include "kernels/testing/ops_harness.h"
#include "kernels/testing/tolerance.h"

namespace hybridserve {
namespace {

TEST_P(OpsConformance, LayerNormAgreesWithTheDefinition) {
  for (const DType y_dtype : dtypes()) {
    for (const int64_t width : {1, 2, 15, 16, 17, 64, 100, 768, 1031}) {
      for (const int64_t rows : {0, 1, 9}) {
        for (const bool affine : {false, true}) {
          SCOPED_TRACE(testing::Message() << rows << " x " << width);
          OpsHarness harness(device());
          // Off center, so that a one-pass variance would cancel.
          Matrix x = RandomMatrix(rows, width, DType::kFloat32, 1);
          for (double& value : x.values) value += 3;
          Matrix gain, bias;
          LayerNormArgs args{.x = harness.Put(x, DType::kFloat32, 3),
                             .gain = {},
                             .bias = {},
                             .y = harness.Result(rows, width, y_dtype, 1)};
          if (affine) {
            gain = RandomMatrix(1, width, DType::kFloat32, 2);
            bias = RandomMatrix(1, width, DType::kFloat32, 3);
            args.gain = harness.Put(gain, DType::kFloat32);
            args.bias = harness.Put(bias, DType::kFloat32);
          }
          ASSERT_TRUE(harness.ops().LayerNorm(harness.stream(), args).ok());
          const Matrix want = LayerNormReference(x, gain, bias, args.epsilon);
          // A single element is all rounding error: 0 / sqrt(epsilon).
          const double tolerance =
              SumTolerance(width, 4 + MaxAbs(want), y_dtype);
          ExpectNear("y", harness.Get(args.y), want, tolerance);
        }
      }
    }
  }
}

TEST_P(OpsConformance, LayerNormWithoutCenterIsTheRootMeanSquareNorm) {
  for (const DType y_dtype : dtypes()) {
    for (const int64_t width : {1, 15, 64, 1031}) {
      SCOPED_TRACE(width);
      OpsHarness harness(device());
      Matrix x = RandomMatrix(6, width, DType::kFloat32, 1);
      for (double& value : x.values) value += 3;
      const Matrix gain = RandomMatrix(1, width, DType::kFloat32, 2);
      const LayerNormArgs args{.x = harness.Put(x, DType::kFloat32, 3),
                               .gain = harness.Put(gain, DType::kFloat32),
                               .bias = {},
                               .y = harness.Result(6, width, y_dtype, 1),
                               .epsilon = 1e-6F,
                               .center = false};
      ASSERT_TRUE(harness.ops().LayerNorm(harness.stream(), args).ok());
      const Matrix want =
          LayerNormReference(x, gain, {}, args.epsilon, /*center=*/false);
      ExpectNear("y", harness.Get(args.y), want,
                 SumTolerance(width, 4 + MaxAbs(want), y_dtype));
    }
  }
}

TEST_P(OpsConformance, LayerNormWorksInPlaceAndByRow) {
  OpsHarness harness(device());
  const Matrix x = RandomMatrix(20, 100, DType::kFloat32, 1);
  LayerNormArgs args{.x = harness.Put(x, DType::kFloat32),
                     .gain = {},
                     .bias = {},
                     .y = harness.Result(20, 100, DType::kFloat32)};
  ASSERT_TRUE(harness.ops().LayerNorm(harness.stream(), args).ok());
  const TensorView apart = args.y;
  args.y = args.x;
  ASSERT_TRUE(harness.ops().LayerNorm(harness.stream(), args).ok());
  EXPECT_TRUE(harness.GetBytes(args.y) == harness.GetBytes(apart));

  args.x = harness.Put(RowsOf(x, 7, 1), DType::kFloat32);
  args.y = harness.Result(1, 100, DType::kFloat32);
  ASSERT_TRUE(harness.ops().LayerNorm(harness.stream(), args).ok());
  EXPECT_TRUE(harness.GetBytes(args.y) == harness.GetBytes(apart.Rows(7, 1)));
}

TEST_P(OpsConformance, ConvertRoundsToNearestEvenAndWidensExactly) {
  for (const DType dtype : dtypes()) {
    for (const int64_t rows : {0, 1, 5}) {
      for (const int64_t cols : {1, 33, 1000}) {
        SCOPED_TRACE(testing::Message() << rows << " x " << cols);
        OpsHarness harness(device());
        const Matrix x = RandomMatrix(rows, cols, DType::kFloat32, 1);
        const TensorView narrow = harness.Result(rows, cols, dtype, 2);
        const TensorView wide = harness.Result(rows, cols, DType::kFloat32);
        const TensorView from = harness.Put(x, DType::kFloat32, 1);
        Ops& ops = harness.ops();
        ASSERT_TRUE(ops.Convert(harness.stream(), {from, narrow}).ok());
        ASSERT_TRUE(ops.Convert(harness.stream(), {narrow, wide}).ok());
        Matrix want = x;
        if (dtype != DType::kFloat32) want = harness.Get(harness.Put(x, dtype));
        ExpectNear("wide", harness.Get(wide), want, 0);
      }
    }
  }
}

}  // namespace
}  // namespace hybridserve
