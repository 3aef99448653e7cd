#include "worker/device/cpu_stream.h"

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "worker/device/cpu_buffer.h"
#include "worker/device/cpu_event.h"
#include "worker/device/link_pacer.h"

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

// A copy within the host takes its own time: what follows it is not on the link
// before it is done.
TEST(CpuStreamTest, ACopyWithinTheHostIsNotHiddenBehindTheLink) {
  constexpr int64_t kBytes = 1000;
  LinkPacer link(100e3);  // 10 ms for all of them.
  MemoryBudget budget(1 << 20);
  const auto from =
      CpuBuffer::Create(MemorySpace::kHost, kBytes, budget).value();
  const auto by = CpuBuffer::Create(MemorySpace::kHost, kBytes, budget).value();
  const auto to =
      CpuBuffer::Create(MemorySpace::kDevice, kBytes, budget).value();
  CpuStream stream(StreamKind::kCopyIn, &link);
  absl::Notification go;
  stream.Queue([&go] {
    go.WaitForNotification();
    return absl::OkStatus();
  });
  const CopyRun within = {.dst = {by.get(), 0, kBytes},
                          .src = {from.get(), 0, kBytes}};
  const CopyRun across = {.dst = {to.get(), 0, kBytes},
                          .src = {by.get(), 0, kBytes}};
  ASSERT_THAT(stream.Copy({&within, 1}), IsOk());
  ASSERT_THAT(stream.Copy({&across, 1}), IsOk());
  const absl::Time queued = MonotonicNow();
  go.Notify();
  ASSERT_THAT(stream.Synchronize(), IsOk());
  const absl::Time link_free = link.Schedule(queued, 0).begin;
  EXPECT_GE(link_free, queued + absl::Milliseconds(10));
}

}  // namespace
}  // namespace hybridserve
