#include "worker/device/device_factory.h"

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(DeviceFactoryTest, AutoAndCpuGiveTheCpu) {
  for (const char* name : {"auto", "cpu"}) {
    auto device = CreateDevice(name, {.threads = 1});
    ASSERT_THAT(device.status(), IsOk());
    EXPECT_EQ((*device)->info().backend, "cpu");
  }
}

TEST(DeviceFactoryTest, BackendsToComeSaySo) {
  for (const char* name : {"cuda", "cuda:0", "cuda:15", "sim:rtx4090"}) {
    EXPECT_THAT(CreateDevice(name, {}).status(),
                StatusIs(absl::StatusCode::kFailedPrecondition, name));
  }
}

TEST(DeviceFactoryTest, OtherNamesAreRefused) {
  for (const char* name :
       {"", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "sim:", "sim"}) {
    EXPECT_THAT(CreateDevice(name, {}).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, "--device: "));
  }
}

TEST(DeviceFactoryTest, OptionsReachTheCpu) {
  auto device = CreateDevice("cpu", {.device_memory_bytes = 4096});
  ASSERT_THAT(device.status(), IsOk());
  EXPECT_EQ((*device)->info().memory_bytes, 4096);
}

}  // namespace
}  // namespace hybridserve
