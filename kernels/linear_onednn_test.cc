#include "kernels/linear_onednn.h"

#include <cmath>
#include <vector>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "kernels/element_convert.h"
#include "kernels/reference_ops.h"
#include "kernels/testing/ops_harness.h"
#include "kernels/testing/tolerance.h"

namespace hybridserve {
namespace {

struct Shape {
  int64_t m, n, k;
};

std::vector<char> Elements(const Matrix& matrix, DType dtype) {
  const std::vector<float> floats(matrix.values.begin(), matrix.values.end());
  std::vector<char> bytes(floats.size() * SizeOf(dtype));
  ConvertElements(DType::kFloat32, floats.data(), dtype, bytes.data(),
                  static_cast<int64_t>(floats.size()));
  return bytes;
}

// Right to within rounding whatever oneDNN runs on this machine; exactness is
// the probe's business.
TEST(OneDnnLinearTest, AgreesWithTheDefinition) {
  constexpr Shape kShapes[] = {{0, 64, 8},    {1, 1, 1},    {3, 70, 33},
                               {5, 0, 4},     {4, 9, 0},    {64, 128, 96},
                               {100, 64, 40}, {300, 65, 20}};
  int tested = 0;
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    auto kernel = CreateOneDnnLinear(dtype, /*any_implementation=*/true);
    if (absl::IsUnimplemented(kernel.status())) continue;
    ASSERT_THAT(kernel.status(), IsOk());
    ++tested;
    for (const int threads : {1, 2}) {
      ThreadPool pool(threads);
      for (const Shape& shape : kShapes) {
        SCOPED_TRACE(testing::Message()
                     << Name(dtype) << " m=" << shape.m << " n=" << shape.n
                     << " k=" << shape.k);
        const Matrix x = RandomMatrix(shape.m, shape.k, dtype, 1);
        const Matrix weight = RandomMatrix(shape.n, shape.k, dtype, 2);
        const Matrix bias = RandomMatrix(1, shape.n, DType::kFloat32, 3);
        const WeightShape weight_shape{shape.n, shape.k, dtype};
        const WeightLayout& layout = (*kernel)->layout();
        std::vector<char> blob(layout.PackedBytes(weight_shape));
        ASSERT_THAT(layout.Pack(weight_shape, dtype, Elements(weight, dtype),
                                absl::MakeSpan(blob)),
                    IsOk());
        // Position independent: used from another address than packed at.
        const std::vector<char> moved = blob;
        blob.assign(blob.size(), 'x');
        const std::vector<char> x_bytes = Elements(x, dtype);
        const std::vector<char> bias_bytes = Elements(bias, DType::kFloat32);
        std::vector<float> y(shape.m * shape.n);
        (*kernel)->Run(
            {.x = x_bytes.data(),
             .x_stride = shape.k,
             .weight = moved.data(),
             .dtype = dtype,
             .bias = reinterpret_cast<const float*>(bias_bytes.data()),
             .y = y.data(),
             .y_stride = shape.n,
             .y_dtype = DType::kFloat32,
             .m = shape.m,
             .n = shape.n,
             .k = shape.k,
             .activation = Activation::kRelu},
            pool);
        Matrix got(shape.m, shape.n);
        got.values.assign(y.begin(), y.end());
        ExpectNear(
            "y", got, LinearReference(x, weight, bias, Activation::kRelu),
            SumTolerance(shape.k + 1,
                         6 * std::sqrt(static_cast<double>(shape.k) + 1) + 6,
                         DType::kFloat32));
      }
    }
  }
  EXPECT_GT(tested, 0) << "oneDNN has at least float32";
}

TEST(OneDnnLinearTest, RefusesWrongSizes) {
  auto kernel = CreateOneDnnLinear(DType::kFloat32, true);
  ASSERT_THAT(kernel.status(), IsOk());
  std::vector<char> rows(size_t{2} * 3 * 4), blob(16);
  EXPECT_THAT((*kernel)->layout().Pack({2, 3, DType::kFloat32}, DType::kFloat32,
                                       rows, absl::MakeSpan(blob)),
              StatusIs(absl::StatusCode::kInvalidArgument, "into 16"));
}

}  // namespace
}  // namespace hybridserve
