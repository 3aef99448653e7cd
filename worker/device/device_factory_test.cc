#include "worker/device/device_factory.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::AnyOf;

TEST(DeviceFactoryTest, CpuGivesTheCpu) {
  auto device = CreateDevice("cpu", {.threads = 1});
  ASSERT_THAT(device.status(), IsOk());
  EXPECT_EQ((*device)->info().backend, "cpu");
}

TEST(DeviceFactoryTest, AutoGivesTheGpuOrElseTheCpu) {
  const bool has_gpu = CreateDevice("cuda", {}).ok();
  auto device = CreateDevice("auto", {.threads = 1});
  ASSERT_THAT(device.status(), IsOk());
  EXPECT_EQ((*device)->info().backend, has_gpu ? "cuda" : "cpu");
}

TEST(DeviceFactoryTest, AutoWithALinkToModelGivesTheCpu) {
  auto device = CreateDevice("auto", {.link_bytes_per_second = 1e9});
  ASSERT_THAT(device.status(), IsOk());
  EXPECT_EQ((*device)->info().backend, "cpu");
}

TEST(DeviceFactoryTest, AGpuThatIsNotThereIsNamed) {
  EXPECT_THAT(
      CreateDevice("cuda:99", {}).status(),
      AnyOf(StatusIs(absl::StatusCode::kUnavailable, "device=cuda"),
            StatusIs(absl::StatusCode::kFailedPrecondition, "device=cuda")));
}

TEST(DeviceFactoryTest, AGpusLinkIsNotModelled) {
  EXPECT_THAT(CreateDevice("cuda:1", {.link_bytes_per_second = 1e9}).status(),
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
  auto device = CreateDevice("cpu", {.device_memory_bytes = 4096});
  ASSERT_THAT(device.status(), IsOk());
  EXPECT_EQ((*device)->info().memory_bytes, 4096);
}

}  // namespace
}  // namespace hybridserve
