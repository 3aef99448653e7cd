#include "scheduler/queue/request_queue.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;

RequestKey Key(uint64_t value) { return RequestKey(value); }

WaitingRequest Request(uint64_t key, int64_t tokens, std::string tenant = "") {
  return {.key = Key(key), .tenant = std::move(tenant), .tokens = tokens};
}

std::vector<RequestKey> Keys(const RequestQueue& queue,
                             absl::string_view lane) {
  std::vector<RequestKey> keys;
  queue.Visit(lane, [&](RequestKey key) {
    keys.push_back(key);
    return true;
  });
  return keys;
}

TEST(RequestQueueTest, TheOldestIsNextAlsoWhenItComesBack) {
  RequestQueue queue({.max_requests = 10, .max_tokens = 1000});
  ASSERT_THAT(queue.Push("m", Request(3, 5)), IsOk());
  ASSERT_THAT(queue.Push("m", Request(4, 6)), IsOk());
  queue.PutBack("m", Request(1, 7));
  queue.PutBack("m", Request(2, 8));
  EXPECT_THAT(Keys(queue, "m"), ElementsAre(Key(1), Key(2), Key(3), Key(4)));
  EXPECT_EQ(queue.size(), 4);
  EXPECT_EQ(queue.tokens(), 26);

  EXPECT_TRUE(queue.Remove(Key(3)));
  EXPECT_FALSE(queue.Remove(Key(3)));
  EXPECT_THAT(Keys(queue, "m"), ElementsAre(Key(1), Key(2), Key(4)));
  EXPECT_EQ(queue.tokens(), 21);
}

TEST(RequestQueueTest, AVisitEndsWhenItHasSeenEnough) {
  RequestQueue queue({.max_requests = 10, .max_tokens = 1000});
  ASSERT_THAT(queue.Push("m", Request(1, 5)), IsOk());
  ASSERT_THAT(queue.Push("m", Request(2, 6)), IsOk());
  int visits = 0;
  queue.Visit("m", [&](RequestKey key) {
    EXPECT_EQ(key, Key(1));
    ++visits;
    return false;
  });
  EXPECT_EQ(visits, 1);
}

TEST(RequestQueueTest, LanesAreApart) {
  RequestQueue queue({.max_requests = 10, .max_tokens = 1000});
  ASSERT_THAT(queue.Push("a", Request(1, 5)), IsOk());
  ASSERT_THAT(queue.Push("b", Request(2, 6)), IsOk());
  ASSERT_THAT(queue.Push("a", Request(3, 7)), IsOk());
  EXPECT_THAT(Keys(queue, "a"), ElementsAre(Key(1), Key(3)));
  EXPECT_EQ(queue.LaneSize("a"), 2);
  EXPECT_EQ(queue.LaneTokens("a"), 12);
  EXPECT_EQ(queue.LaneSize("b"), 1);
  EXPECT_TRUE(Keys(queue, "c").empty());
  EXPECT_EQ(queue.LaneSize("c"), 0);
  EXPECT_EQ(queue.LaneTokens("c"), 0);
}

TEST(RequestQueueTest, RefusalLeavesTheQueueUnchanged) {
  RequestQueue queue({.max_requests = 2, .max_tokens = 10});
  EXPECT_THAT(queue.Push("m", Request(1, 11)),
              StatusIs(absl::StatusCode::kResourceExhausted, "limit of 10"));
  EXPECT_EQ(queue.size(), 0);
  ASSERT_THAT(queue.Push("m", Request(1, 1)), IsOk());
  ASSERT_THAT(queue.Push("m", Request(2, 9)), IsOk());
  EXPECT_THAT(queue.Push("m", Request(3, 0)),
              StatusIs(absl::StatusCode::kResourceExhausted, "2 requests"));
  EXPECT_FALSE(queue.Contains(Key(3)));
  EXPECT_EQ(queue.tokens(), 10);
}

TEST(RequestQueueTest, NoBoundRefusesWhatComesBack) {
  RequestQueue queue({.max_requests = 0, .max_tokens = 0});
  queue.PutBack("m", Request(1, 5));
  EXPECT_THAT(Keys(queue, "m"), ElementsAre(Key(1)));
  EXPECT_THAT(queue.Push("m", Request(2, 1)),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(RequestQueueTest, WhatIsTakenAndPutBackGoesFirst) {
  RequestQueue queue({.max_requests = 10, .max_tokens = 100});
  ASSERT_THAT(queue.Push("m", Request(1, 5, "a")), IsOk());
  ASSERT_THAT(queue.Push("m", Request(2, 5, "b")), IsOk());
  queue.Take(Key(1));
  EXPECT_EQ(queue.tokens(), 5);
  queue.PutBack("m", Request(1, 5, "a"));
  EXPECT_THAT(Keys(queue, "m"), ElementsAre(Key(1), Key(2)));
  EXPECT_EQ(queue.TokensBefore("m", "c", 5), 10);
  EXPECT_EQ(queue.TokensBefore("n", "c", 5), 0);
}

TEST(RequestQueueTest, ATenantLeavesRoomForOthers) {
  RequestQueue queue(
      {.max_requests = 100, .max_tokens = 100'000, .tenant_share = 0.8});
  uint64_t key = 0;
  int64_t taken = 0;
  while (queue.Push("m", Request(++key, 10, "greedy")).ok()) ++taken;
  EXPECT_EQ(taken, 81);
  EXPECT_THAT(queue.Push("m", Request(++key, 10, "greedy")),
              StatusIs(absl::StatusCode::kResourceExhausted, "tenant greedy"));
  EXPECT_THAT(queue.Push("m", Request(++key, 10, "modest")), IsOk());
  EXPECT_THAT(queue.Push("m", Request(++key, 10)), IsOk());
  // What leaves makes room for it again.
  for (uint64_t left = 1; left <= 10; ++left) {
    EXPECT_TRUE(queue.Remove(Key(left)));
  }
  EXPECT_THAT(queue.Push("m", Request(++key, 10, "greedy")), IsOk());
}

TEST(RequestQueueTest, ATenantLeavesTokensForOthers) {
  RequestQueue queue(
      {.max_requests = 100, .max_tokens = 1000, .tenant_share = 0.5});
  ASSERT_THAT(queue.Push("m", Request(1, 600, "greedy")), IsOk());
  EXPECT_THAT(queue.Push("m", Request(2, 1, "greedy")),
              StatusIs(absl::StatusCode::kResourceExhausted, "600"));
  EXPECT_THAT(queue.Push("m", Request(3, 300, "modest")), IsOk());
}

TEST(RequestQueueDeathTest, ARequestWaitsOnce) {
  RequestQueue queue({.max_requests = 10, .max_tokens = 100});
  queue.PutBack("m", Request(1, 5));
  EXPECT_DEATH(queue.PutBack("n", Request(1, 5)), "request 1 waits already");
}

}  // namespace
}  // namespace hybridserve
