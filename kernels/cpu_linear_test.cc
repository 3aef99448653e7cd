#include "kernels/cpu_linear.h"

#include "gtest/gtest.h"
#include "kernels/linear_onednn.h"
#include "kernels/linear_probe.h"

namespace hybridserve {
namespace {

TEST(CpuLinearTest, PacksToWholeLines) {
  CpuLinear linear;
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const int64_t k : {0, 1, 64, 1000}) {
      const WeightShape shape{64, k, dtype};
      EXPECT_EQ(linear.PackedBytes(shape) % 64, 0);
    }
  }
  EXPECT_GT(linear.piece_alignment(), 0);
  EXPECT_FALSE(linear.description().empty());
}

TEST(CpuLinearTest, ChoosesTheSameAgain) {
  EXPECT_EQ(CpuLinear().description(), CpuLinear().description());
}

// oneDNN either says that it has no kernel to trust on this machine, or gives
// one that the probe can judge.
TEST(CpuLinearTest, OneDnnExplainsItself) {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    auto kernel = CreateOneDnnLinear(dtype);
    if (!kernel.ok()) {
      EXPECT_TRUE(absl::IsUnimplemented(kernel.status())) << kernel.status();
      continue;
    }
    const absl::Status probe = ProbeLinear(**kernel, dtype, 96);
    EXPECT_TRUE(probe.ok() || absl::IsFailedPrecondition(probe)) << probe;
  }
}

}  // namespace
}  // namespace hybridserve
