// Under TSan: nothing that absl's locks order is reported as a race. Without:
// the library does what it says.

#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr int kRounds = 1000;

TEST(AbslSynchronizationTest, AMutexOrdersWhatItGuards) {
  absl::Mutex mutex;
  int value = 0;
  const auto add = [&mutex, &value] {
    for (int i = 0; i < kRounds; ++i) {
      absl::MutexLock lock(&mutex);
      ++value;
    }
  };
  std::thread first(add), second(add);
  first.join();
  second.join();
  EXPECT_EQ(value, 2 * kRounds);
}

TEST(AbslSynchronizationTest, AwaitOrdersWhatItsConditionReads) {
  absl::Mutex mutex;
  int turn = 0;  // The threads alternate: even and odd.
  const auto alternate = [&mutex, &turn](int parity, auto await) {
    for (int i = 0; i < kRounds; ++i) {
      const auto mine = [&turn, parity] { return turn % 2 == parity; };
      absl::MutexLock lock(&mutex);
      await(absl::Condition(&mine));
      ++turn;
    }
  };
  std::thread even(alternate, 0, [&mutex](const absl::Condition& condition) {
    mutex.Await(condition);
  });
  std::thread odd(alternate, 1, [&mutex](const absl::Condition& condition) {
    mutex.AwaitWithDeadline(condition, absl::InfiniteFuture());
  });
  even.join();
  odd.join();
  EXPECT_EQ(turn, 2 * kRounds);
}

TEST(AbslSynchronizationTest, ANotificationOrdersWhatWasWrittenBefore) {
  for (int i = 0; i < 100; ++i) {
    int value = 0;
    absl::Notification written;
    std::thread writer([&value, &written] {
      value = 1;
      written.Notify();
    });
    if (i % 2 == 0) {
      written.WaitForNotification();
    } else {
      while (!written.HasBeenNotified()) std::this_thread::yield();
    }
    EXPECT_EQ(value, 1);
    writer.join();
  }
}

}  // namespace
}  // namespace hybridserve
