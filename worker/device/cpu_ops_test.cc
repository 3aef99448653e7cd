#include "worker/device/cpu_ops.h"

#include <memory>
#include <utility>

#include "glog/logging.h"
#include "gtest/gtest.h"
#include "kernels/testing/ops_conformance.h"
#include "worker/device/cpu_device.h"

namespace hybridserve {
namespace {

std::unique_ptr<Device> MakeCpuDevice(int threads) {
  auto device = CreateCpuDevice({.threads = threads});
  CHECK(device.ok()) << device.status();
  return *std::move(device);
}

INSTANTIATE_TEST_SUITE_P(Cpu, OpsConformance,
                         testing::Values(OpsBackend{
                             .name = "cpu",
                             .make_device = MakeCpuDevice,
                             .dtypes = {DType::kFloat32, DType::kBFloat16}}));

}  // namespace
}  // namespace hybridserve
