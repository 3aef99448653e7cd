// The engine on the cuda backend's very code, on the emulated device, in
// several orders of execution: the suite that all backends pass, and nothing
// that the emulation objects to.

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/emulation/emulated_device.h"
#include "tests/emulation/fault_log.h"
#include "worker/device/cuda/cuda_device.h"
#include "worker/testing/engine_conformance.h"

namespace hybridserve {
namespace {

using emulation::EmulatedDevice;
using emulation::TakeFaults;
using ::testing::IsEmpty;

// `seed`: of the orders.
EngineUnderTest OnEmulatedCuda(const std::string& name,
                               Architecture architecture, uint64_t seed) {
  return {.name = name,
          .architecture = architecture,
          .make_device =
              [seed](bool batch_invariant) {
                EmulatedDevice::Get().SetSeed(seed);
                return CreateCudaDevice({.batch_invariant = batch_invariant,
                                         .cublas_libraries = {""}});
              },
          .half_dtypes = {DType::kBFloat16, DType::kFloat16}};
}

INSTANTIATE_TEST_SUITE_P(
    EmulatedCuda, EngineConformance,
    ::testing::Values(OnEmulatedCuda("opt_lazy", Architecture::kOpt, 0),
                      OnEmulatedCuda("opt_mixed", Architecture::kOpt, 1),
                      OnEmulatedCuda("opt_eager", Architecture::kOpt, 2),
                      OnEmulatedCuda("llama_lazy", Architecture::kLlama, 0)),
    [](const auto& info) { return info.param.name; });

// After each test: nothing is left, and nothing was wrong.
class FaultListener : public ::testing::EmptyTestEventListener {
  void OnTestEnd(const ::testing::TestInfo& /*test*/) override {
    EmulatedDevice::Get().ReportLeaks();
    EXPECT_THAT(TakeFaults(), IsEmpty());
  }
};

}  // namespace
}  // namespace hybridserve

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::UnitTest::GetInstance()->listeners().Append(
      new hybridserve::FaultListener);
  return RUN_ALL_TESTS();
}
