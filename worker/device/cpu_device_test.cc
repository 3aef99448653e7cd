#include "worker/device/cpu_device.h"

#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/types/span.h"
#include "common/testing/status_matchers.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "worker/device/testing/device_conformance.h"

namespace hybridserve {
namespace {

constexpr int64_t kBudget = 16 << 20;

std::unique_ptr<Device> Make(const CpuDeviceOptions& options) {
  auto device = CreateCpuDevice(options);
  CHECK(device.ok()) << device.status();
  return *std::move(device);
}

INSTANTIATE_TEST_SUITE_P(
    Cpu, DeviceConformance,
    testing::Values(
        DeviceUnderTest{"one_memory", [] { return Make({.threads = 1}); }},
        DeviceUnderTest{"own_memory",
                        [] {
                          return Make(
                              {.threads = 2, .device_memory_bytes = kBudget});
                        }},
        DeviceUnderTest{"paced",
                        [] {
                          return Make({.threads = 1,
                                       .device_memory_bytes = kBudget,
                                       .link_bytes_per_second = 1e9});
                        }}),
    [](const testing::TestParamInfo<DeviceUnderTest>& info) {
      return info.param.name;
    });

TEST(CpuDeviceTest, OneMemoryUnlessAskedOtherwise) {
  EXPECT_TRUE(Make({})->info().one_memory);
  EXPECT_FALSE(Make({.device_memory_bytes = kBudget})->info().one_memory);
  EXPECT_FALSE(Make({.link_bytes_per_second = 1e9})->info().one_memory);
}

TEST(CpuDeviceTest, DeviceMemoryHasABudget) {
  std::unique_ptr<Device> device = Make({.device_memory_bytes = 1000});
  EXPECT_EQ(device->info().memory_bytes, 1000);
  auto first = device->Allocate(MemorySpace::kDevice, 600);
  ASSERT_THAT(first.status(), IsOk());
  EXPECT_THAT(device->Allocate(MemorySpace::kDevice, 401).status(),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       "401 bytes asked for, 400 left"));
  EXPECT_THAT(device->Allocate(MemorySpace::kHost, 5000).status(), IsOk());
  EXPECT_THAT(device->Allocate(MemorySpace::kDevice, 400).status(), IsOk());
  first->reset();
  EXPECT_THAT(device->Allocate(MemorySpace::kDevice, 1000).status(), IsOk());
}

TEST(CpuDeviceTest, MemoryThatTheMachineLacksIsRefused) {
  EXPECT_THAT(Make({})->Allocate(MemorySpace::kHost, int64_t{1} << 60).status(),
              StatusIs(absl::StatusCode::kResourceExhausted, "host memory"));
}

TEST(CpuDeviceTest, RefusesNegativeOptions) {
  EXPECT_THAT(CreateCpuDevice({.threads = -1}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "threads=-1"));
  EXPECT_THAT(CreateCpuDevice({.device_memory_bytes = -5}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "device_memory=-5"));
  EXPECT_THAT(
      CreateCpuDevice({.link_bytes_per_second = -1}).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, "link_bandwidth=-1"));
}

// A million bytes at 100 MB/s are 10 ms on the link, which busy() includes;
// the other direction and copies inside one space are free of it.
TEST(CpuDeviceTest, PacedCopiesTakeTheLinksTime) {
  constexpr int64_t kBytes = 1'000'000;
  constexpr absl::Duration kOnLink = absl::Milliseconds(10);
  std::unique_ptr<Device> device = Make({.link_bytes_per_second = 100e6});
  auto host = device->Allocate(MemorySpace::kHost, kBytes);
  auto there = device->Allocate(MemorySpace::kDevice, kBytes);
  ASSERT_TRUE(host.ok() && there.ok());
  const BufferView h{host->get(), 0, kBytes};
  const BufferView d{there->get(), 0, kBytes};
  const auto busy_after = [&](StreamKind kind, const CopyRun& run) {
    std::unique_ptr<Stream> stream = device->CreateStream(kind);
    EXPECT_THAT(stream->Copy(absl::MakeConstSpan(&run, 1)), IsOk());
    EXPECT_THAT(stream->Synchronize(), IsOk());
    return stream->busy();
  };
  EXPECT_GE(busy_after(StreamKind::kCopyIn, {d, h}), kOnLink);
  EXPECT_GE(busy_after(StreamKind::kCopyOut, {h, d}), kOnLink);
}

// Runs larger and smaller than what the link delivers at once.
TEST(CpuDeviceTest, PacedCopiesAreWhole) {
  constexpr int64_t kBytes = (1 << 20) + 17;
  std::unique_ptr<Device> device = Make({.link_bytes_per_second = 1e9});
  auto host = device->Allocate(MemorySpace::kHost, kBytes);
  auto there = device->Allocate(MemorySpace::kDevice, kBytes);
  auto back = device->Allocate(MemorySpace::kHost, kBytes);
  ASSERT_TRUE(host.ok() && there.ok() && back.ok());
  const absl::Span<char> sent = (*host)->host_bytes();
  const absl::Span<char> got = (*back)->host_bytes();
  std::iota(sent.begin(), sent.end(), 1);
  absl::c_fill(got, 0);
  std::unique_ptr<Stream> stream = device->CreateStream(StreamKind::kCopyIn);
  const auto copy = [&](const Buffer& from, const Buffer& to) {
    std::vector<CopyRun> runs;
    int64_t begin = 0;
    for (const int64_t end : {int64_t{5}, int64_t{300'001}, kBytes}) {
      const int64_t size = end - begin;
      // The last one first, so that they do not go on from one another.
      const CopyRun run{{&to, begin, size}, {&from, begin, size}};
      runs.insert(runs.begin(), run);
      begin = end;
    }
    ASSERT_THAT(stream->Copy(runs), IsOk());
  };
  copy(**host, **there);
  copy(**there, **back);
  ASSERT_THAT(stream->Synchronize(), IsOk());
  EXPECT_EQ(sent, got);
}

}  // namespace
}  // namespace hybridserve
