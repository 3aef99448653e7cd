#include "client/openai/http/hangup_watcher.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace hybridserve::http {
namespace {

// Two connected sockets.
struct Pair {
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0); }
  ~Pair() {
    close(fds[0]);
    if (fds[1] >= 0) close(fds[1]);
  }
  void CloseOther() {
    close(fds[1]);
    fds[1] = -1;
  }
  int fds[2];
};

TEST(HangupWatcherTest, TellsOfAClosedSocketOnce) {
  HangupWatcher watcher;
  Pair pair;
  std::atomic<int> calls = 0;
  absl::Notification called;
  const auto watch = watcher.Start(pair.fds[0], [&] {
    if (++calls == 1) called.Notify();
  });
  // Bytes that nobody reads are no hang-up.
  ASSERT_EQ(write(pair.fds[1], "x", 1), 1);
  EXPECT_FALSE(called.WaitForNotificationWithTimeout(absl::Milliseconds(50)));
  pair.CloseOther();
  called.WaitForNotification();
  EXPECT_EQ(calls, 1);
}

TEST(HangupWatcherTest, TellsOfOneThatHadBeenClosed) {
  HangupWatcher watcher;
  Pair pair;
  pair.CloseOther();
  absl::Notification called;
  const auto watch = watcher.Start(pair.fds[0], [&] { called.Notify(); });
  called.WaitForNotification();
}

TEST(HangupWatcherTest, AWatchThatEndedHearsNothing) {
  HangupWatcher watcher;
  Pair first;
  Pair second;
  watcher.Start(first.fds[0], [] { FAIL() << "called"; });
  absl::Notification called;
  const auto watch = watcher.Start(second.fds[0], [&] { called.Notify(); });
  first.CloseOther();
  second.CloseOther();
  called.WaitForNotification();
}

TEST(HangupWatcherTest, ASocketMayBeWatchedAgain) {
  HangupWatcher watcher;
  Pair pair;
  for (int i = 0; i < 10; ++i) watcher.Start(pair.fds[0], [] {});
  absl::Notification called;
  const auto watch = watcher.Start(pair.fds[0], [&] { called.Notify(); });
  pair.CloseOther();
  called.WaitForNotification();
}

}  // namespace
}  // namespace hybridserve::http
