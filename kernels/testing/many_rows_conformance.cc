// Ops on more rows than the second dimension of a GPU's grid has blocks.

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/reference_ops.h"
#include "kernels/testing/ops_conformance.h"
#include "kernels/testing/ops_harness.h"
#include "kernels/testing/tolerance.h"

namespace hybridserve {
namespace {

constexpr int64_t kRows = 65536 + 700;

// All have the last rows, too, and those where a grid's end.
TEST_P(OpsConformance, ManyRowsAreConvertedAndTurned) {
  constexpr int64_t kWidth = 2;
  OpsHarness harness(device());
  const Matrix x = RandomMatrix(kRows, kWidth, DType::kFloat32, 1);
  const TensorView turned = harness.Put(x, DType::kFloat32);
  const TensorView copied = harness.Result(kRows, kWidth, DType::kFloat32);
  ASSERT_TRUE(harness.ops().Convert(harness.stream(), {turned, copied}).ok());
  std::vector<int32_t> positions(kRows);
  for (int64_t row = 0; row < kRows; ++row) {
    positions[row] = static_cast<int32_t>(row % 1000);
  }
  const std::vector<float> frequencies = {0.5F};
  ASSERT_TRUE(harness.ops()
                  .Rotary(harness.stream(), {.x = turned,
                                             .head_dim = kWidth,
                                             .frequencies = frequencies,
                                             .positions = positions})
                  .ok());
  ExpectNear("copied", harness.Get(copied), x, 0);
  ExpectNear("turned", harness.Get(turned),
             RotaryReference(x, frequencies, positions),
             SumTolerance(6, 2 * MaxAbs(x), DType::kFloat32));
}

TEST_P(OpsConformance, ManyRowsAreMultipliedAndNormalised) {
  constexpr int64_t kWidth = 2;
  OpsHarness harness(device());
  const Matrix x = RandomMatrix(kRows, kWidth, DType::kFloat32, 1);
  const Matrix weight = RandomMatrix(kWidth, kWidth, DType::kFloat32, 2);
  const Matrix bias = RandomMatrix(1, kWidth, DType::kFloat32, 3);
  const TensorView from = harness.Put(x, DType::kFloat32);
  const TensorView product = harness.Result(kRows, kWidth, DType::kFloat32);
  ASSERT_TRUE(harness.ops()
                  .Linear(harness.stream(),
                          {.x = from,
                           .weight = harness.PutWeight(weight, DType::kFloat32),
                           .shape = {kWidth, kWidth, DType::kFloat32},
                           .bias = harness.Put(bias, DType::kFloat32),
                           .y = product,
                           .activation = Activation::kRelu})
                  .ok());
  const Matrix want = LinearReference(x, weight, bias, Activation::kRelu);
  ExpectNear("product", harness.Get(product), want,
             SumTolerance(kWidth + 1, 10 * MaxAbs(x), DType::kFloat32));
  const TensorView norm = harness.Result(kRows, kWidth, DType::kFloat32);
  ASSERT_TRUE(
      harness.ops()
          .LayerNorm(harness.stream(), {.x = from, .y = norm, .epsilon = 0.1F})
          .ok());
  ExpectNear("norm", harness.Get(norm),
             LayerNormReference(x, {}, {}, double{0.1F}),
             SumTolerance(kWidth, 4 + 4 * MaxAbs(x), DType::kFloat32));
}

// A whole state a row: the largest logit, the sum of exps below it, the
// target's logit, the likeliest token.
TEST_P(OpsConformance, ManyRowsAreScored) {
  constexpr int64_t kVocabulary = 3;
  OpsHarness harness(device());
  const Matrix logits = RandomMatrix(kRows, kVocabulary, DType::kFloat32, 11);
  const std::vector<int32_t> targets(kRows, 1);
  const TensorView state = harness.Put(Matrix(kRows, 4), DType::kFloat32);
  ASSERT_TRUE(harness.ops()
                  .LogProb(harness.stream(),
                           {.logits = harness.Put(logits, DType::kFloat32),
                            .first_column = 0,
                            .targets = targets,
                            .state = state})
                  .ok());
  const Matrix got = harness.Get(state);
  Matrix log_probs(kRows, 1);
  Matrix want(kRows, 1);
  for (int64_t r = 0; r < kRows; ++r) {
    log_probs(r, 0) = got(r, 2) - got(r, 0) - std::log(got(r, 1));
    std::vector<float> row;
    for (int64_t c = 0; c < kVocabulary; ++c) {
      row.push_back(static_cast<float>(logits(r, c)));
    }
    want(r, 0) = LogProbReference(row)[1];
  }
  ExpectNear("log-probs", log_probs, want,
             SumTolerance(kVocabulary, MaxAbs(logits), DType::kFloat32));
}

}  // namespace
}  // namespace hybridserve
