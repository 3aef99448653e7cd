#include "common/clock.h"

#include "absl/time/time.h"
#include "common/testing/fake_clock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(SystemClockTest, NeverGoesBack) {
  const SystemClock clock;
  const absl::Time start = clock.Now();
  absl::Time last = start;
  for (int i = 0; i < 1000; ++i) {
    const absl::Time now = clock.Now();
    ASSERT_GE(now, last);
    last = now;
  }
  // A thousand reads of a clock that runs take some time.
  EXPECT_GT(last, start);
}

TEST(FakeClockTest, MovesOnlyWhenTold) {
  FakeClock clock(absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100));
  clock.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(clock.Now(), absl::FromUnixMillis(101'500));
}

TEST(FakeClockDeathTest, RefusesToGoBack) {
  FakeClock clock;
  EXPECT_DEATH(clock.Advance(-absl::Seconds(1)), "-1s");
}

}  // namespace
}  // namespace hybridserve
