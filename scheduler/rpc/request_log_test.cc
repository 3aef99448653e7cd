#include "scheduler/rpc/request_log.h"

#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;

TEST(RequestLogTest, AFinishedRequestsLine) {
  EXPECT_EQ(FinishedLine({.request_id = "hs-1",
                          .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"},
                         {.model = "opt-30b", .tenant = "team-1"},
                         {.prompt_tokens = 13,
                          .completion_tokens = 9,
                          .queue_time = absl::Microseconds(1500),
                          .first_token_time = absl::Milliseconds(250),
                          .total_time = absl::Seconds(2.25),
                          .replays = 1},
                         FinishReason::kLength),
            "request finished: request_id=hs-1 model=opt-30b tenant=team-1 "
            "prompt_tokens=13 completion_tokens=9 queue_s=0.001500 "
            "first_token_s=0.250000 total_s=2.250000 replays=1 "
            "finish_reason=length trace_id=4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(RequestLogTest, WhatIsUnknownIsLeftOut) {
  EXPECT_EQ(FinishedLine({.request_id = "hs-1"}, {.model = "m"},
                         {.prompt_tokens = 2, .total_time = absl::Seconds(1)},
                         FinishReason::kCancelled),
            "request finished: request_id=hs-1 model=m prompt_tokens=2 "
            "completion_tokens=0 total_s=1.000000 finish_reason=cancelled");
}

TEST(RequestLogTest, OfErrorsTheCodeAlone) {
  EXPECT_EQ(FailedLine({.request_id = "hs-1"}, {.model = "m"},
                       {.prompt_tokens = 2,
                        .completion_tokens = 3,
                        .total_time = absl::Seconds(1)},
                       absl::StatusCode::kDeadlineExceeded),
            "request failed: request_id=hs-1 model=m prompt_tokens=2 "
            "completion_tokens=3 total_s=1.000000 code=DEADLINE_EXCEEDED");
  EXPECT_EQ(RefusedLine({.request_id = "hs-1"}, "a",
                        absl::StatusCode::kInvalidArgument),
            "request refused: request_id=hs-1 tenant=a code=INVALID_ARGUMENT");
}

TEST(RequestLogTest, ValuesCanForgeNothing) {
  const std::string line =
      FinishedLine({.request_id = "a=b"},
                   {.model = "m\nE1127 fire", .tenant = "x code=OK \"y\""}, {},
                   FinishReason::kStop);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_THAT(line, HasSubstr("request_id=\"a=b\" model=\"m\\nE1127 fire\" "
                              "tenant=\"x code=OK \\\"y\\\"\" "));
}

}  // namespace
}  // namespace hybridserve
