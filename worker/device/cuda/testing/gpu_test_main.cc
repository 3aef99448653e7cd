#include "worker/device/cuda/testing/gpu_test_main.h"

#include <cstdlib>
#include <iostream>
#include <string>

#include "gtest/gtest.h"

#ifdef HYBRIDSERVE_WITH_CUDA
#include "worker/device/cuda/cuda_device.h"
#endif

namespace hybridserve {
namespace {

// Empty: the tests can run.
std::string WhyNot() {
#ifdef HYBRIDSERVE_WITH_CUDA
  const auto device = CreateCudaDevice({});
  if (absl::IsUnavailable(device.status())) {
    return std::string{device.status().message()};
  }
  if (device.ok()) std::cout << (*device)->info().description << std::endl;
  return "";
#else
  return "built without nvcc: neither $CUDA_HOME nor /usr/local/cuda has a "
         "CUDA toolkit";
#endif
}

}  // namespace

int RunGpuTests(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const std::string why_not = WhyNot();
  if (why_not.empty()) return RUN_ALL_TESTS();
  std::cout << "skipped: " << why_not << std::endl;
  return std::getenv("HYBRIDSERVE_GPU_REQUIRED") != nullptr ? 1 : 0;
}

}  // namespace hybridserve
