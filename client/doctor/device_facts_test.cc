#include "client/doctor/device_facts.h"

#include <memory>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "worker/device/cpu_device.h"

namespace hybridserve {
namespace {

TEST(DeviceFactsTest, TheCpuPathNamesAKernelForEachDType) {
  const CpuPath path = ReadCpuPath();
  EXPECT_FALSE(path.isa.empty());
  ASSERT_EQ(path.products.size(), 2);
  EXPECT_EQ(path.products[0].dtype, "float32");
  EXPECT_EQ(path.products[1].dtype, "bfloat16");
  for (const CpuPath::Product& product : path.products) {
    EXPECT_EQ(product.kernel == "own", !product.refusal.empty());
  }
}

// In tests no GPU is offered, whatever the machine has.
TEST(DeviceFactsTest, WithoutAGpuEachStepSaysWhy) {
  const CudaFacts facts = ReadCudaFacts();
  EXPECT_FALSE(facts.device.ok());
  EXPECT_FALSE(facts.device.message().empty());
  if (!facts.driver.ok()) {
    EXPECT_FALSE(facts.driver.message().empty());
    EXPECT_EQ(facts.devices, 0);
  }
}

TEST(DeviceFactsTest, MeasuresALinkBothWays) {
  const std::unique_ptr<Device> device =
      CreateCpuDevice({.threads = 1, .device_memory_bytes = int64_t{64} << 20})
          .value();
  const LinkFacts link = MeasureLink("here", *device);
  ASSERT_THAT(link.status, IsOk());
  EXPECT_EQ(link.name, "here");
  EXPECT_GT(link.to_device_bytes_per_s, 0);
  EXPECT_GT(link.from_device_bytes_per_s, 0);
}

TEST(DeviceFactsTest, APacedLinkIsNotFasterThanItsPace) {
  const std::unique_ptr<Device> device =
      CreateCpuDevice({.threads = 1, .link_bytes_per_second = 400e6}).value();
  const LinkFacts link = MeasureLink("paced", *device);
  ASSERT_THAT(link.status, IsOk());
  EXPECT_LE(link.to_device_bytes_per_s, 440e6);
  EXPECT_LE(link.from_device_bytes_per_s, 440e6);
}

TEST(DeviceFactsTest, ALinkWithoutRoomSaysSo) {
  const std::unique_ptr<Device> device =
      CreateCpuDevice({.threads = 1, .device_memory_bytes = 1 << 20}).value();
  EXPECT_THAT(MeasureLink("small", *device).status,
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace hybridserve
