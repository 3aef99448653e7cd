#include "worker/device/device_factory.h"

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "kernels/device/device.h"
#include "worker/device/cpu_device.h"

namespace hybridserve {
namespace {

constexpr int64_t kGpuBytes = 12345;

// A machine with one GPU.
absl::StatusOr<std::unique_ptr<Device>> OpenOnlyGpu(const GpuOptions& options) {
  if (options.ordinal == 0) {
    return CreateCpuDevice({.device_memory_bytes = kGpuBytes});
  }
  return absl::UnavailableError(absl::StrCat("number ", options.ordinal));
}

absl::StatusOr<std::unique_ptr<Device>> OpenNoGpu(
    const GpuOptions& /*options*/) {
  return absl::UnavailableError("no driver");
}

TEST(DeviceFactoryTest, CpuGivesTheCpu) {
  auto device = CreateDevice("cpu", {.cpu = {.threads = 1}});
  ASSERT_THAT(device.status(), IsOk());
  EXPECT_EQ((*device)->info().backend, "cpu");
}

TEST(DeviceFactoryTest, AutoGivesTheGpuOrElseTheCpu) {
  SetGpuOpener(OpenOnlyGpu);
  auto device = CreateDevice("auto", {.cpu = {.threads = 1}});
  ASSERT_THAT(device.status(), IsOk());
  EXPECT_EQ((*device)->info().memory_bytes, kGpuBytes);
  for (const GpuOpener opener : {GpuOpener{OpenNoGpu}, GpuOpener{nullptr}}) {
    SetGpuOpener(opener);
    device = CreateDevice("auto", {.cpu = {.threads = 1}});
    ASSERT_THAT(device.status(), IsOk());
    EXPECT_NE((*device)->info().memory_bytes, kGpuBytes);
  }
}

TEST(DeviceFactoryTest, AutoWithALinkToModelGivesTheCpu) {
  auto device = CreateDevice("auto", {.cpu = {.link_bytes_per_second = 1e9}});
  ASSERT_THAT(device.status(), IsOk());
  EXPECT_EQ((*device)->info().backend, "cpu");
}

TEST(DeviceFactoryTest, GpusGoByTheirNumber) {
  SetGpuOpener(OpenOnlyGpu);
  EXPECT_THAT(CreateDevice("cuda", {}).status(), IsOk());
  EXPECT_THAT(CreateDevice("cuda:0", {}).status(), IsOk());
  EXPECT_THAT(CreateDevice("cuda:7", {}).status(),
              StatusIs(absl::StatusCode::kUnavailable, "number 7"));
  SetGpuOpener(nullptr);
}

TEST(DeviceFactoryTest, AProgramWithoutCudaSaysSo) {
  SetGpuOpener(nullptr);
  EXPECT_THAT(CreateDevice("cuda:1", {}).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, "device=cuda:1"));
}

TEST(DeviceFactoryTest, AGpusLinkIsNotModelled) {
  EXPECT_THAT(
      CreateDevice("cuda:1", {.cpu = {.link_bytes_per_second = 1e9}}).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, "--link_bandwidth"));
}

TEST(DeviceFactoryTest, BackendsToComeSaySo) {
  EXPECT_THAT(CreateDevice("sim:rtx4090", {}).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, "sim:rtx4090"));
}

TEST(DeviceFactoryTest, OtherNamesAreRefused) {
  for (const char* name :
       {"", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "sim:", "sim"}) {
    EXPECT_THAT(CreateDevice(name, {}).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, "--device: "));
  }
}

TEST(DeviceFactoryTest, OptionsReachTheCpu) {
  auto device = CreateDevice("cpu", {.cpu = {.device_memory_bytes = 4096}});
  ASSERT_THAT(device.status(), IsOk());
  EXPECT_EQ((*device)->info().memory_bytes, 4096);
}

}  // namespace
}  // namespace hybridserve
