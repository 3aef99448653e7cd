#include "kernels/cpu_linear.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/dtype.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/linear_kernel.h"
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

// Through CpuLinear itself: whatever was chosen for that many features, rows
// and pieces agree bit for bit.
class ChosenKernel final : public LinearKernel {
 public:
  std::string name() const override { return linear_.description(); }
  const WeightLayout& layout() const override { return linear_; }
  void Run(const LinearCpuArgs& args, ThreadPool& pool) override {
    linear_.Run(args, pool);
  }

 private:
  CpuLinear linear_;
};

TEST(CpuLinearTest, WhatItChoosesPassesTheProbe) {
  ChosenKernel chosen;
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const int64_t k : {1, 33, 96, 320, 1000}) {
      EXPECT_THAT(ProbeLinear(chosen, dtype, k), IsOk()) << k;
    }
  }
}

TEST(CpuLinearTest, SaysWhyItDoesNotUseOneDnn) {
  const CpuLinear linear;
  ASSERT_EQ(linear.choices().size(), 2);
  for (const CpuLinear::Choice& choice : linear.choices()) {
    EXPECT_EQ(choice.kernel == "own", !choice.refusal.ok()) << choice.refusal;
    EXPECT_EQ(choice.refusal.message().empty(), choice.refusal.ok());
  }
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
