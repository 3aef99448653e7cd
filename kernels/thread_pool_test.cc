#include "kernels/thread_pool.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(ThreadPoolTest, CallsTheBodyOnceForEachItem) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.num_threads(), threads);
    for (const int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> calls(count);
      pool.ParallelFor(count, [&](int64_t i) { ++calls[i]; });
      for (const std::atomic<int>& call : calls) ASSERT_EQ(call, 1);
    }
  }
}

TEST(ThreadPoolTest, OpsOfSeveralThreadsTakeTurns) {
  ThreadPool pool(3);
  std::atomic<int64_t> sum = 0;
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        pool.ParallelFor(10, [&](int64_t i) { sum += i; });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 200 * 45);
}

TEST(ThreadPoolTest, TheCallerSeesWhatTheBodiesWrote) {
  ThreadPool pool(4);
  for (int round = 0; round < 500; ++round) {
    std::vector<int> values(32);
    pool.ParallelFor(32, [&](int64_t i) { values[i] = round; });
    for (const int value : values) ASSERT_EQ(value, round);
  }
}

TEST(ThreadPoolDeathTest, NeedsAThread) {
  EXPECT_DEATH(ThreadPool(0), "num_threads");
}

}  // namespace
}  // namespace hybridserve
