#include "client/openai/http/connection_threads.h"

#include <atomic>
#include <thread>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace hybridserve::http {
namespace {

TEST(ConnectionThreadsTest, AllRunAtOnce) {
  constexpr int kThreads = 8;
  ConnectionThreads threads(kThreads);
  // Passed only if all of them, and this, are there.
  auto* const barrier = new absl::Barrier(kThreads + 1);
  std::atomic<int> done = 0;
  for (int i = 0; i < kThreads; ++i) {
    threads.enqueue([&, barrier] {
      EXPECT_FALSE(ConnectionThreads::InTheWay());
      if (barrier->Block()) delete barrier;
      ++done;
    });
  }
  if (barrier->Block()) delete barrier;
  threads.shutdown();
  EXPECT_EQ(done, kThreads);
}

TEST(ConnectionThreadsTest, OneTooManyRunsInTheWay) {
  ConnectionThreads threads(1);
  absl::Notification release;
  threads.enqueue([&] { release.WaitForNotification(); });
  bool in_the_way = false;
  std::thread::id id;
  threads.enqueue([&] {
    in_the_way = ConnectionThreads::InTheWay();
    id = std::this_thread::get_id();
  });
  EXPECT_TRUE(in_the_way);
  EXPECT_EQ(id, std::this_thread::get_id());
  EXPECT_FALSE(ConnectionThreads::InTheWay());
  release.Notify();
  threads.shutdown();
}

}  // namespace
}  // namespace hybridserve::http
