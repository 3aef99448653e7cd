#include "worker/device/sim/sim_stream.h"

#include <memory>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "worker/device/sim/sim_device.h"

namespace hybridserve {
namespace {

absl::Time At(double milliseconds) {
  return absl::UnixEpoch() + absl::Milliseconds(milliseconds);
}

class SimStreamTest : public testing::Test {
 protected:
  SimStreamTest() {
    SimDeviceOptions options;
    options.profile.fits[WorkKind::kKv].cost = {.fixed = absl::Milliseconds(1),
                                                .seconds_per_unit = 1e-3};
    options.profile.fits[WorkKind::kRebuild].cost = {.seconds_per_unit = 2e-3};
    device_ = CreateSimDevice(options, clock_);
    copy_in_ = device_->CreateStream(StreamKind::kCopyIn);
    compute_ = device_->CreateStream(StreamKind::kCompute);
    event_ = device_->CreateEvent();
  }

  void Run(Stream& stream) { static_cast<SimStream&>(stream).Run(); }

  SimClock clock_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> copy_in_;
  std::unique_ptr<Stream> compute_;
  std::unique_ptr<Event> event_;
};

TEST_F(SimStreamTest, APieceTakesItsCostOnce) {
  copy_in_->Begin({.kind = WorkKind::kKv, .units = 4});
  Run(*copy_in_);
  Run(*copy_in_);
  copy_in_->Begin({.kind = WorkKind::kKv, .units = 3, .resumes = true});
  Run(*copy_in_);
  EXPECT_EQ(copy_in_->busy(), absl::Milliseconds(5));
  EXPECT_EQ(copy_in_->work()[WorkKind::kKv].count, 1);
  EXPECT_EQ(copy_in_->work()[WorkKind::kKv].units, 4);
  EXPECT_EQ(clock_.Now(), At(0));  // Queueing takes no time.
  EXPECT_THAT(copy_in_->Synchronize(), IsOk());
  EXPECT_EQ(clock_.Now(), At(5));
}

TEST_F(SimStreamTest, StreamsOverlapButForEvents) {
  copy_in_->Begin({.kind = WorkKind::kKv, .units = 4});  // [0, 5]
  Run(*copy_in_);
  EXPECT_THAT(copy_in_->Record(*event_), IsOk());
  compute_->Begin({.kind = WorkKind::kRebuild, .units = 1});  // [0, 2]
  Run(*compute_);
  EXPECT_THAT(compute_->Wait(*event_), IsOk());
  compute_->Begin({.kind = WorkKind::kRebuild, .units = 1});  // [5, 7]
  Run(*compute_);
  EXPECT_FALSE(event_->Done());
  EXPECT_THAT(compute_->Synchronize(), IsOk());
  EXPECT_EQ(clock_.Now(), At(7));
  EXPECT_TRUE(event_->Done());
  EXPECT_EQ(compute_->busy(), absl::Milliseconds(4));
}

TEST_F(SimStreamTest, WorkStartsWhenItIsQueuedAtTheEarliest) {
  clock_.AdvanceTo(At(100));
  copy_in_->Begin({.kind = WorkKind::kKv, .units = 0});
  Run(*copy_in_);
  EXPECT_THAT(copy_in_->Synchronize(), IsOk());
  EXPECT_EQ(clock_.Now(), At(101));
}

TEST_F(SimStreamTest, CopiesOfUnequalSizesAreRefused) {
  const auto host = device_->Allocate(MemorySpace::kHost, 64).value();
  const auto here = device_->Allocate(MemorySpace::kDevice, 64).value();
  const CopyRun run = {.dst = {here.get(), 0, 64}, .src = {host.get(), 0, 32}};
  EXPECT_THAT(copy_in_->Copy({&run, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace hybridserve
