#include "worker/device/cpu_stream.h"

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "worker/device/cpu_event.h"

namespace hybridserve {
namespace {

TEST(CpuStreamTest, AnErrorReachesEventsAndTheStreamsThatWaitForThem) {
  CpuStream failing(StreamKind::kCopyIn, nullptr);
  CpuStream waiting(StreamKind::kCompute, nullptr);
  CpuStream apart(StreamKind::kCopyOut, nullptr);
  CpuEvent before, after;
  bool ran = false;
  ASSERT_THAT(failing.Record(before), IsOk());
  failing.Queue([] { return absl::DataLossError("bad copy"); });
  ASSERT_THAT(failing.Record(after), IsOk());
  ASSERT_THAT(waiting.Wait(after), IsOk());
  waiting.Queue([&ran] {
    ran = true;
    return absl::OkStatus();
  });
  ASSERT_THAT(apart.Wait(before), IsOk());

  EXPECT_THAT(before.Synchronize(), IsOk());
  EXPECT_THAT(after.Synchronize(),
              StatusIs(absl::StatusCode::kDataLoss, "bad copy"));
  EXPECT_THAT(failing.Synchronize(),
              StatusIs(absl::StatusCode::kDataLoss, "bad copy"));
  EXPECT_THAT(waiting.Synchronize(),
              StatusIs(absl::StatusCode::kDataLoss, "bad copy"));
  EXPECT_THAT(apart.Synchronize(), IsOk());
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace hybridserve
