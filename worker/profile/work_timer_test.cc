#include "worker/profile/work_timer.h"

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/cpu_device.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(WorkTimerTest, SizesAreSpacedFromOneToTheMost) {
  EXPECT_THAT(SpacedSizes(64, 4), ElementsAre(1, 4, 16, 64));
  EXPECT_THAT(SpacedSizes(3, 5), ElementsAre(1, 2, 3));
  EXPECT_THAT(SpacedSizes(1, 4), ElementsAre(1));
  EXPECT_THAT(SpacedSizes(0, 4), IsEmpty());
}

class WorkTimerFixture : public testing::Test {
 protected:
  WorkTimerFixture()
      : device_(CreateCpuDevice({.threads = 1,
                                 .device_memory_bytes = int64_t{1} << 20,
                                 .link_bytes_per_second = 50e6})
                    .value()),
        stream_(device_->CreateStream(StreamKind::kCopyIn)),
        host_(device_->Allocate(MemorySpace::kHost, 200'000).value()),
        here_(device_->Allocate(MemorySpace::kDevice, 200'000).value()) {}

  absl::Status Copy(int64_t bytes) {
    const CopyRun run = {.dst = {here_.get(), 0, bytes},
                         .src = {host_.get(), 0, bytes}};
    return stream_->Copy({&run, 1});
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Buffer> host_;
  std::unique_ptr<Buffer> here_;
};

// A paced link is never faster than its bandwidth, and its time grows with the
// bytes, however busy the machine is.
TEST_F(WorkTimerFixture, MeasuresAPacedLink) {
  const std::vector<int64_t> sizes = {20'000, 50'000, 200'000};
  const WorkFit fit =
      TimeWork(
          *stream_, WorkKind::kKv, sizes,
          [](int64_t bytes) { return static_cast<double>(bytes); },
          [this](int64_t bytes) { return Copy(bytes); })
          .value();
  ASSERT_EQ(fit.samples.size(), 3U);
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(fit.samples[i].units, static_cast<double>(sizes[i]));
    EXPECT_GE(fit.samples[i].duration, absl::Seconds(sizes[i] / 50e6) * 0.99);
  }
  EXPECT_GT(fit.cost.At(200'000), fit.cost.At(20'000));
}

TEST_F(WorkTimerFixture, OneSizeGivesALineThroughZero) {
  const WorkFit fit =
      TimeWork(
          *stream_, WorkKind::kKv, {50'000}, [](int64_t) { return 10.0; },
          [this](int64_t bytes) { return Copy(bytes); })
          .value();
  ASSERT_EQ(fit.samples.size(), 1U);
  EXPECT_EQ(fit.cost.fixed, absl::ZeroDuration());
  EXPECT_GE(fit.cost.At(10), absl::Milliseconds(0.99));
}

TEST_F(WorkTimerFixture, NoSizesGiveNoSamplesAndErrorsAreTold) {
  const auto units = [](int64_t) { return 1.0; };
  const auto fails = [](int64_t) { return absl::InternalError("broken"); };
  EXPECT_THAT(TimeWork(*stream_, WorkKind::kKv, {}, units, fails)->samples,
              IsEmpty());
  EXPECT_THAT(TimeWork(*stream_, WorkKind::kKv, {1}, units, fails),
              StatusIs(absl::StatusCode::kInternal, "broken"));
}

}  // namespace
}  // namespace hybridserve
