// The suites that all backends pass, on a real device. Skipped, with the
// reason, where there is none.

#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "worker/device/cuda/testing/gpu_test_main.h"

#ifdef HYBRIDSERVE_WITH_CUDA

#include "glog/logging.h"
#include "kernels/testing/ops_conformance.h"
#include "worker/device/cuda/cuda_device.h"
#include "worker/device/cuda/ops_backends.h"
#include "worker/device/testing/device_conformance.h"

namespace hybridserve {
namespace {

std::unique_ptr<Device> MakeDevice(bool batch_invariant = false) {
  auto device = CreateCudaDevice({.batch_invariant = batch_invariant});
  CHECK(device.ok()) << device.status();
  return *std::move(device);
}

INSTANTIATE_TEST_SUITE_P(Cuda, DeviceConformance,
                         ::testing::Values(DeviceUnderTest{
                             .name = "cuda",
                             .make = [] { return MakeDevice(); }}));

INSTANTIATE_TEST_SUITE_P(Cuda, OpsConformance,
                         ::testing::ValuesIn(CudaOpsBackends(MakeDevice)),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hybridserve

#endif  // HYBRIDSERVE_WITH_CUDA

int main(int argc, char** argv) { return hybridserve::RunGpuTests(argc, argv); }
