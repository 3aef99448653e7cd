#include <vector>

#include "gtest/gtest.h"
#include "kernels/reference_ops.h"
#include "kernels/testing/ops_conformance.h"
#include "kernels/testing/ops_harness.h"
#include "kernels/testing/tolerance.h"

namespace hybridserve {
namespace {

// As a model has them: from a turn of 1 radian a position to very slow ones.
std::vector<float> Frequencies(int64_t head_dim) {
  std::vector<float> frequencies;
  float frequency = 1;
  for (int64_t i = 0; i < head_dim / 2; ++i) {
    frequencies.push_back(frequency);
    frequency *= 0.83F;
  }
  return frequencies;
}

// From the first to far beyond what fits float32's whole turns; one stays.
std::vector<int32_t> Positions(int64_t rows) {
  std::vector<int32_t> positions;
  for (int64_t row = 0; row < rows; ++row) {
    positions.push_back(row == 2 ? -1 : static_cast<int32_t>(row * row * 977));
  }
  return positions;
}

TEST_P(OpsConformance, RotaryAgreesWithTheDefinition) {
  for (const DType dtype : dtypes()) {
    for (const int64_t head_dim : {2, 6, 34, 64, 128, 130}) {
      for (const int64_t heads : {1, 3}) {
        for (const int64_t rows : {0, 1, 37}) {
          SCOPED_TRACE(testing::Message()
                       << rows << " x " << heads << " x " << head_dim);
          OpsHarness harness(device());
          const Matrix x = RandomMatrix(rows, heads * head_dim, dtype, 1);
          const RotaryArgs args = {.x = harness.Put(x, dtype, 3),
                                   .head_dim = head_dim,
                                   .frequencies = Frequencies(head_dim),
                                   .positions = Positions(rows)};
          ASSERT_TRUE(harness.ops().Rotary(harness.stream(), args).ok());
          const Matrix want =
              RotaryReference(x, args.frequencies, args.positions);
          // Two products, each with a turn that is off by two roundings.
          ExpectNear("x", harness.Get(args.x), want,
                     SumTolerance(6, 2 * MaxAbs(x), dtype));
        }
      }
    }
  }
}

// Nothing waits for a result: what a call was given is its own until it runs.
TEST_P(OpsConformance, RotaryCallsAreQueuedFarAhead) {
  constexpr int64_t kCalls = 300;
  constexpr int64_t kHeadDim = 8;
  OpsHarness harness(device());
  const Matrix x = RandomMatrix(kCalls, kHeadDim, DType::kFloat32, 1);
  const TensorView all = harness.Put(x, DType::kFloat32);
  std::vector<int32_t> positions;
  for (int64_t call = 0; call < kCalls; ++call) {
    positions.push_back(static_cast<int32_t>(call));
    const RotaryArgs args = {.x = all.Rows(call, 1),
                             .head_dim = kHeadDim,
                             .frequencies = Frequencies(kHeadDim),
                             .positions = {positions.back()}};
    ASSERT_TRUE(harness.ops().Rotary(harness.stream(), args).ok());
  }
  ExpectNear("x", harness.Get(all),
             RotaryReference(x, Frequencies(kHeadDim), positions),
             SumTolerance(6, 2 * MaxAbs(x), DType::kFloat32));
}

TEST_P(OpsConformance, RotaryRowsAreIndependentBitForBit) {
  constexpr int64_t kHeadDim = 40;
  for (const DType dtype : dtypes()) {
    OpsHarness harness(device());
    const Matrix x = RandomMatrix(20, 2 * kHeadDim, dtype, 1);
    RotaryArgs args = {.x = harness.Put(x, dtype),
                       .head_dim = kHeadDim,
                       .frequencies = Frequencies(kHeadDim),
                       .positions = Positions(20)};
    const TensorView all = args.x;
    ASSERT_TRUE(harness.ops().Rotary(harness.stream(), args).ok());
    for (const int64_t row : {0, 2, 7, 19}) {
      OpsHarness apart(device());
      args.x = apart.Put(RowsOf(x, row, 1), dtype);
      args.positions = {Positions(20)[row]};
      ASSERT_TRUE(apart.ops().Rotary(apart.stream(), args).ok());
      EXPECT_TRUE(apart.GetBytes(args.x) == harness.GetBytes(all.Rows(row, 1)))
          << row;
    }
    // A head's pairs turn as they do with other heads beside it.
    OpsHarness narrow(device());
    args.x = narrow.Put(x, dtype).Cols(kHeadDim, kHeadDim);
    args.positions = Positions(20);
    ASSERT_TRUE(narrow.ops().Rotary(narrow.stream(), args).ok());
    EXPECT_TRUE(narrow.GetBytes(args.x) ==
                harness.GetBytes(all.Cols(kHeadDim, kHeadDim)));
  }
}

}  // namespace
}  // namespace hybridserve
