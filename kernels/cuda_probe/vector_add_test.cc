#include "kernels/cuda_probe/vector_add.h"

#include <vector>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

#ifdef HYBRIDSERVE_WITH_CUDA

class VectorAddTest : public testing::TestWithParam<int> {};

TEST_P(VectorAddTest, AddsEveryElement) {
  std::vector<float> a(GetParam()), b(GetParam()), sum(GetParam(), -1);
  for (int i = 0; i < GetParam(); ++i) {
    a[i] = static_cast<float>(i);
    b[i] = 0.5f;
  }
  const absl::Status status = VectorAddCuda(a, b, absl::MakeSpan(sum));
  if (absl::IsUnavailable(status)) {
    GTEST_SKIP() << "no CUDA device: " << status.message();
  }
  ASSERT_THAT(status, IsOk());
  for (int i = 0; i < GetParam(); ++i) {
    ASSERT_EQ(sum[i], static_cast<float>(i) + 0.5f) << "element " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, VectorAddTest,
                         testing::Values(0, 1, 255, 256, 257, 100'001));

#else

TEST(VectorAddTest, NeedsTheCudaToolkit) {
  GTEST_SKIP() << "built without nvcc: neither $CUDA_HOME nor /usr/local/cuda "
                  "has a CUDA toolkit";
}

#endif  // HYBRIDSERVE_WITH_CUDA

}  // namespace
}  // namespace hybridserve
