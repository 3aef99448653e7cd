#include "kernels/linear_probe.h"

#include <string>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

// Our own kernel, but for a flaw that a GEMM library may have.
class FlawedLinear final : public LinearKernel {
 public:
  enum class Flaw { kRowCount, kColumnCount, kThreads };
  explicit FlawedLinear(Flaw flaw) : flaw_(flaw) {}

  const WeightLayout& layout() const override { return own_.layout(); }
  std::string name() const override { return "flawed"; }
  void Run(const LinearCpuArgs& args, ThreadPool& pool) override {
    own_.Run(args, pool);
    const bool shows = (flaw_ == Flaw::kRowCount && args.m == 17) ||
                       (flaw_ == Flaw::kColumnCount && args.n < 100) ||
                       (flaw_ == Flaw::kThreads && pool.num_threads() > 1);
    if (!shows) return;
    // One unit in the last place of the last element.
    auto* y = static_cast<float*>(args.y);
    auto* last =
        reinterpret_cast<int32_t*>(y + (args.m - 1) * args.y_stride + args.n);
    --last[-1];
  }

 private:
  const Flaw flaw_;
  OwnLinear own_;
};

TEST(LinearProbeTest, OurOwnKernelPasses) {
  OwnLinear own;
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const int64_t k : {1, 63, 768}) {
      EXPECT_THAT(ProbeLinear(own, dtype, k), IsOk());
    }
  }
}

TEST(LinearProbeTest, FindsASingleBit) {
  struct Case {
    FlawedLinear::Flaw flaw;
    const char* message;
  };
  for (const Case& c :
       {Case{FlawedLinear::Flaw::kRowCount, "other bits for 17 rows"},
        Case{FlawedLinear::Flaw::kColumnCount, "a piece of 16 columns"},
        Case{FlawedLinear::Flaw::kThreads, "2 threads"}}) {
    FlawedLinear flawed(c.flaw);
    EXPECT_THAT(ProbeLinear(flawed, DType::kFloat32, 64),
                StatusIs(absl::StatusCode::kFailedPrecondition, c.message));
  }
}

}  // namespace
}  // namespace hybridserve
