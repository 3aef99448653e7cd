#include "scheduler/core/worker_breaker.h"

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using absl::StatusCode;
using ::testing::Optional;

constexpr absl::Time kStart = absl::UnixEpoch();

TEST(WorkerBreakerTest, SetsAsideWhatFailsAgainAndAgain) {
  WorkerBreaker breaker({.most_failures = 3, .first_rest = absl::Seconds(10)});
  breaker.CountFailure("a", kStart);
  breaker.CountFailure("a", kStart);
  EXPECT_THAT(breaker.Check("a", kStart), IsOk());
  breaker.CountFailure("a", kStart);
  const absl::Status aside = breaker.Check("a", kStart + absl::Seconds(4));
  EXPECT_THAT(aside, StatusIs(StatusCode::kUnavailable, "worker a"));
  EXPECT_THAT(RetryDelayOf(aside), Optional(absl::Seconds(6)));
  EXPECT_THAT(breaker.Check("b", kStart), IsOk());
  EXPECT_THAT(breaker.Check("a", kStart + absl::Seconds(10)), IsOk());
}

TEST(WorkerBreakerTest, RestsGrowToALimit) {
  WorkerBreaker breaker({.most_failures = 1,
                         .first_rest = absl::Seconds(10),
                         .longest_rest = absl::Seconds(30)});
  for (const int64_t seconds : {10, 20, 30, 30}) {
    breaker.CountFailure("a", kStart);
    EXPECT_THAT(RetryDelayOf(breaker.Check("a", kStart)),
                Optional(absl::Seconds(seconds)));
  }
}

TEST(WorkerBreakerTest, ASuccessForgivesAll) {
  WorkerBreaker breaker({.most_failures = 2});
  breaker.CountFailure("a", kStart);
  breaker.CountSuccess("a");
  breaker.CountFailure("a", kStart);
  EXPECT_THAT(breaker.Check("a", kStart), IsOk());
}

TEST(WorkerBreakerTest, RemembersABoundedNumberOfNames) {
  WorkerBreaker breaker({.most_failures = 1, .most_names = 3});
  for (int i = 0; i < 5; ++i) {
    breaker.CountFailure(absl::StrCat("w", i), kStart + absl::Milliseconds(i));
  }
  EXPECT_THAT(breaker.Check("w1", kStart), IsOk());
  EXPECT_THAT(breaker.Check("w2", kStart), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(breaker.Check("w4", kStart), StatusIs(StatusCode::kUnavailable));
}

}  // namespace
}  // namespace hybridserve
