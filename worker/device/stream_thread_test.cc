#include "worker/device/stream_thread.h"

#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/link_pacer.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;

TEST(StreamThreadTest, RunsWorkAndMarkersInOrder) {
  std::vector<int> order;
  StreamThread thread;
  for (int i = 0; i < 4; ++i) {
    if (i % 2 == 0) {
      thread.Queue([&order, i] {
        order.push_back(i);
        return absl::OkStatus();
      });
    } else {
      thread.QueueMarker([&order, i](const absl::Status&) {
        order.push_back(i);
        return absl::OkStatus();
      });
    }
  }
  EXPECT_THAT(thread.Drain(), IsOk());
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

TEST(StreamThreadTest, TheFirstErrorSticksAndLaterWorkIsSkipped) {
  StreamThread thread;
  bool ran = false;
  absl::Status told;
  thread.Queue([] { return absl::InternalError("first"); });
  thread.Queue([&ran] {
    ran = true;
    return absl::InternalError("second");
  });
  thread.QueueMarker([&told](const absl::Status& so_far) {
    told = so_far;
    return absl::OkStatus();
  });
  EXPECT_THAT(thread.Drain(), StatusIs(absl::StatusCode::kInternal, "first"));
  EXPECT_THAT(thread.Drain(), StatusIs(absl::StatusCode::kInternal, "first"));
  EXPECT_THAT(told, StatusIs(absl::StatusCode::kInternal, "first"));
  EXPECT_FALSE(ran);
}

TEST(StreamThreadTest, WorkMayHaveBegunBeforeTheThreadWokeUp) {
  StreamThread thread;
  const absl::Time queued = MonotonicNow();
  thread.QueueMarker([](const absl::Status&) {
    absl::SleepFor(absl::Milliseconds(20));
    return absl::OkStatus();
  });
  const auto work = [&thread, queued] {
    thread.BeganAt(queued);
    return absl::OkStatus();
  };
  thread.Queue(work);
  EXPECT_THAT(thread.Drain(), IsOk());
  const absl::Duration first = thread.busy();
  EXPECT_GE(first, absl::Milliseconds(20));
  // Time is not counted twice.
  thread.Queue(work);
  EXPECT_THAT(thread.Drain(), IsOk());
  EXPECT_LE(thread.busy(), MonotonicNow() - queued);
  EXPECT_GE(thread.busy(), first);
}

TEST(StreamThreadTest, AMarkersErrorCountsToo) {
  StreamThread thread;
  thread.QueueMarker(
      [](const absl::Status&) { return absl::AbortedError("upstream"); });
  EXPECT_THAT(thread.Drain(), StatusIs(absl::StatusCode::kAborted, "upstream"));
}

TEST(StreamThreadTest, DestructionRunsWhatIsQueued) {
  int ran = 0;
  {
    StreamThread thread;
    for (int i = 0; i < 100; ++i) {
      thread.Queue([&ran] {
        ++ran;
        return absl::OkStatus();
      });
    }
  }
  EXPECT_EQ(ran, 100);
}

TEST(StreamThreadTest, BusyGrowsDuringWorkOnly) {
  StreamThread thread;
  EXPECT_EQ(thread.busy(), absl::ZeroDuration());
  absl::Notification started, finish;
  thread.Queue([&] {
    started.Notify();
    finish.WaitForNotification();
    return absl::OkStatus();
  });
  started.WaitForNotification();
  const absl::Duration during = thread.busy();
  while (thread.busy() <= during) {
  }  // Counts the work under way.
  finish.Notify();
  EXPECT_THAT(thread.Drain(), IsOk());
  const absl::Duration after = thread.busy();
  EXPECT_GT(after, during);
  thread.QueueMarker([](const absl::Status&) { return absl::OkStatus(); });
  EXPECT_THAT(thread.Drain(), IsOk());
  EXPECT_EQ(thread.busy(), after);
}

TEST(StreamThreadTest, TimeGoesToWhatTheWorkIsFor) {
  StreamThread thread;
  const auto spin = [&thread] {
    const absl::Duration before = thread.busy();
    while (thread.busy() == before) {
    }
    return absl::OkStatus();
  };
  thread.QueueTag({.kind = WorkKind::kKv, .units = 10});  // No work: no piece.
  thread.QueueTag({.kind = WorkKind::kRebuild, .units = 3});
  thread.Queue(spin);
  thread.Queue(spin);
  thread.QueueTag({.kind = WorkKind::kAttention, .units = 5});
  thread.Queue(spin);
  thread.QueueTag({.kind = WorkKind::kRebuild, .units = 7, .resumes = true});
  thread.Queue(spin);
  thread.QueueTag({.kind = WorkKind::kRebuild, .units = 4});
  thread.Queue(spin);
  EXPECT_THAT(thread.Drain(), IsOk());

  const PerWorkKind<WorkTotals> work = thread.work();
  EXPECT_EQ(work[WorkKind::kKv].count, 0);
  EXPECT_EQ(work[WorkKind::kRebuild].count, 2);
  EXPECT_EQ(work[WorkKind::kRebuild].units, 7);
  EXPECT_EQ(work[WorkKind::kAttention].count, 1);
  EXPECT_EQ(work[WorkKind::kAttention].units, 5);
  EXPECT_GT(work[WorkKind::kAttention].busy, absl::ZeroDuration());
  EXPECT_EQ(work[WorkKind::kAttention].busy + work[WorkKind::kRebuild].busy,
            thread.busy());
}

}  // namespace
}  // namespace hybridserve
