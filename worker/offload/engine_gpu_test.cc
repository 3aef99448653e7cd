// The suite of engines that all backends pass, on a GPU, if there is one.

#include "gtest/gtest.h"
#include "worker/device/cuda/testing/gpu_test_main.h"

#ifdef HYBRIDSERVE_WITH_CUDA

#include "worker/device/cuda/cuda_device.h"
#include "worker/testing/engine_conformance.h"

namespace hybridserve {
namespace {

EngineUnderTest OnGpu(const char* name, Architecture architecture) {
  return {.name = name,
          .architecture = architecture,
          .make_device =
              [](bool batch_invariant) {
                return CreateCudaDevice({.batch_invariant = batch_invariant});
              },
          .half_dtypes = {DType::kBFloat16, DType::kFloat16}};
}

INSTANTIATE_TEST_SUITE_P(Gpu, EngineConformance,
                         ::testing::Values(OnGpu("opt", Architecture::kOpt),
                                           OnGpu("llama",
                                                 Architecture::kLlama)),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hybridserve

#endif  // HYBRIDSERVE_WITH_CUDA

int main(int argc, char** argv) { return hybridserve::RunGpuTests(argc, argv); }
