#include "scheduler/rpc/open_calls.h"

#include <memory>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(OpenCallsTest, WaitsForTheLastOne) {
  OpenCalls calls;
  EXPECT_TRUE(calls.WaitUntilNone(absl::InfinitePast()));
  auto first = std::make_unique<OpenCalls::Call>(calls);
  auto second = std::make_unique<OpenCalls::Call>(calls);
  first.reset();
  EXPECT_FALSE(calls.WaitUntilNone(absl::Now()));
  std::thread other([&] { second.reset(); });
  EXPECT_TRUE(calls.WaitUntilNone(absl::InfiniteFuture()));
  other.join();
}

}  // namespace
}  // namespace hybridserve
