#include "tests/load/timer_queue.h"

#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(TimerQueueTest, CallsInTheOrderOfTimes) {
  std::vector<int> called;
  absl::Notification done;
  TimerQueue timers;
  const absl::Time now = absl::Now();
  timers.At(now + absl::Milliseconds(30), [&] {
    called.push_back(3);
    done.Notify();
  });
  timers.At(now + absl::Milliseconds(10), [&] { called.push_back(1); });
  timers.At(now + absl::Milliseconds(10), [&] { called.push_back(2); });
  done.WaitForNotification();
  EXPECT_EQ(called, (std::vector<int>{1, 2, 3}));
  EXPECT_GE(absl::Now(), now + absl::Milliseconds(30));
}

TEST(TimerQueueTest, AFunctionMayAddMore) {
  absl::Notification done;
  TimerQueue timers;
  timers.At(absl::InfinitePast(), [&] {
    timers.At(absl::Now() + absl::Milliseconds(1), [&] { done.Notify(); });
  });
  done.WaitForNotification();
}

TEST(TimerQueueTest, DropsWhatIsNotDueAtItsEnd) {
  const auto kept = std::make_shared<int>(1);
  {
    TimerQueue timers;
    timers.At(absl::InfiniteFuture(), [kept] { FAIL() << "called " << *kept; });
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

}  // namespace
}  // namespace hybridserve
